"""Redis is shared by all tests: what earlier ones noted there must not be fed."""

from __future__ import annotations

import pytest

from batches.open_tenants import KEY, SCANNED_KEY
from helpdesk.streams.writer import client


@pytest.fixture(autouse=True)
def fresh_hint() -> None:
    """No tenant is noted as having batches."""
    client().delete(KEY, SCANNED_KEY)
