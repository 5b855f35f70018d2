"""A list of our processes on disk, so that the next start can end what a killed one left behind."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from helpdesk.embedded import processes
from helpdesk.embedded.processes import Identity

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def record(path: Path, identities: Iterable[Identity]) -> None:
    """Write the list in one step. Start times count from the boot, hence the boot's id."""
    content = {
        "boot": _boot_id(),
        "processes": sorted([identity.pid, identity.started] for identity in identities),
    }
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(content) + "\n", encoding="ascii")
    draft.replace(path)


def recorded(path: Path) -> list[Identity]:
    """The listed processes that still run: same number, same start time, same boot."""
    try:
        content = json.loads(path.read_text(encoding="ascii"))
        listed = [Identity(int(pid), int(started)) for pid, started in content["processes"]]
        same_boot = content["boot"] == _boot_id()
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [identity for identity in listed if processes.is_running(identity)] if same_boot else []


def stop_leftovers(path: Path, *, seconds: float = 8) -> int:
    """End what is left of an earlier start; returns how many processes that were."""
    found = recorded(path)
    processes.terminate(found, seconds=seconds)
    path.unlink(missing_ok=True)
    return len(found)


def _boot_id() -> str:
    return BOOT_ID.read_text(encoding="ascii").strip()
