"""Naming moments on the command line."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import UTC, datetime


def moment(text: str) -> datetime:
    """A day or a moment in ISO 8601; UTC unless it names another offset. Raises ArgumentTypeError."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text} is no date such as 2026-05-01 or 2026-05-01T12:30") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
