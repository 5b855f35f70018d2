"""Parameters of OpenAI's that the desk has nothing for: clients send them by default, with values that ask for nothing."""

from __future__ import annotations

from typing import Any

from chat_requests.errors import UnsupportedParameter
from helpdesk.api.vocabulary import Check, Refused


class AsksNothing(Check):
    """One of these values, or null."""

    def __init__(self, *values: object) -> None:
        self.values = values

    def look(self, value: Any) -> None:
        if not any(_is_same(value, neutral) for neutral in self.values):
            raise Refused(UnsupportedParameter)


def _is_same(value: object, neutral: object) -> bool:
    """Equal, and true or false only where that is meant."""
    return value == neutral and isinstance(value, bool) == isinstance(neutral, bool)
