"""One running desk for everything that is broken in this folder."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.embedded.faults.desk import Desk
from tests.running_stack import start_stack, stop_stack

PAUSE_MILLISECONDS = "200"
LEASE_SECONDS = "8"


@pytest.fixture(scope="package")
def desk() -> Iterator[Desk]:
    """A desk whose engine writes slowly enough that an answer has a middle."""
    data = Path(tempfile.mkdtemp(prefix="glassdesk-faults-"))
    try:
        stack = start_stack(
            data,
            GLASSDESK_ENGINE="scripted",
            GLASSDESK_SCRIPTED_PAUSE=PAUSE_MILLISECONDS,
            GLASSDESK_REPLY_LEASE=LEASE_SECONDS,
        )
        try:
            desk = Desk(stack)
            desk.open_gate()
            yield desk
        finally:
            stop_stack(stack)
    finally:
        shutil.rmtree(data, ignore_errors=True)
