"""Which program of a running desk uses the processor, in seconds."""

from __future__ import annotations

from contextlib import suppress

import psutil

# What a program's command line holds, and what the figures call it. What the inference worker starts is the engine.
PROGRAMS = {
    "daphne": "web",
    "inference@": "inference_worker",
    "default@": "default_worker",
    "beat": "beat",
    "/postgres": "postgresql",
    "valkey-server": "valkey",
}
ENGINE = "engine"


def processor_seconds(pid: int) -> dict[str, float]:
    """Seconds of processor time by program, of the desk that `manage.py up` with this process id keeps running."""
    used = dict.fromkeys([ENGINE, *PROGRAMS.values()], 0.0)
    for child in psutil.Process(pid).children():
        name = _name(child)
        if name is None:
            continue
        used[name] += _seconds(child)
        for descendant in child.children(recursive=True):
            used[ENGINE if name == "inference_worker" else name] += _seconds(descendant)
    return used


def own_seconds() -> dict[str, float]:
    """The same of this process and all that it started, which is the engine."""
    this = psutil.Process()
    return {ENGINE: sum(_seconds(each) for each in [this, *this.children(recursive=True)])}


def difference(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    """What was used in between."""
    return {name: round(after[name] - before[name], 2) for name in after}


def _name(process: psutil.Process) -> str | None:
    with suppress(psutil.NoSuchProcess):
        line = " ".join(process.cmdline())
        return next((name for part, name in PROGRAMS.items() if part in line), None)
    return None


def _seconds(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return float(times.user + times.system)
    return 0.0
