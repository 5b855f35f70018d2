"""Keeps the programs of a desk running: restarts what dies, and stops everything in order."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from helpdesk.embedded import leftovers, processes
from helpdesk.embedded.children import Child
from helpdesk.embedded.errors import CannotStart

STOP_CHILDREN_SECONDS = 8.0
STOP_SERVICES_SECONDS = 4.0
LONGEST_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 60.0
RECORD_SECONDS = 2.0

Say = Callable[[str], None]


Where_co = TypeVar("Where_co", covariant=True)


class Service(Protocol[Where_co]):
    """An embedded server."""

    process: subprocess.Popen[bytes] | None
    log: Path

    def start(self) -> Where_co:
        """Start the server; the result says where it is."""

    def stop(self, *, seconds: float) -> None:
        """Stop it."""


def pause_before_restart(deaths: int) -> float:
    """Seconds to wait before the next start: none at first, then 1, 2, 4, … up to half a minute."""
    return 0.0 if deaths <= 1 else min(2.0 ** (deaths - 2), LONGEST_PAUSE_SECONDS)


@dataclass(slots=True)
class _Running:
    child: Child
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    deaths: int = 0
    next_start: float = 0.0


@dataclass(slots=True)
class Supervisor:
    """Call every method from the main thread: the kernel ends a child when the thread that started it ends."""

    pid_file: Path
    say: Say
    services: dict[str, tuple[Service[object], object]] = field(default_factory=dict)
    _running: list[_Running] = field(default_factory=list)
    _recorded: frozenset[processes.Identity] = frozenset()
    _next_record: float = 0.0

    @property
    def has_work(self) -> bool:
        """Whether there is anything to stop."""
        return bool(self.services or self._running)

    def start_service(self, name: str, service: Service[Where_co]) -> Where_co:
        """Start an embedded server and keep it running; returns where it is."""
        self.services[name] = (service, None)
        where = service.start()
        self.services[name] = (service, where)
        self.record()
        return where

    def start_children(self, children: Sequence[Child]) -> None:
        """Start the programs."""
        for child in children:
            running = _Running(child)
            self._running.append(running)
            self._start(running)
        self.record()

    def look_after(self) -> list[Child]:
        """Restart what has died; returns the programs found dead this time."""
        for name, (service, where) in self.services.items():
            self._revive_service(name, service, where)
        dead = []
        for running in self._running:
            if running.process is not None and running.process.poll() is not None:
                self._bury(running, running.process)
                dead.append(running.child)
            if running.process is None and time.monotonic() >= running.next_start:
                self._start(running)
        if time.monotonic() >= self._next_record:
            self.record()
            self._trim_logs()
        return dead

    def deaths(self, child: Child) -> int:
        """How often the program died without having run steadily in between."""
        return next(running.deaths for running in self._running if running.child is child)

    def record(self) -> None:
        """Note all our processes, so that the next start can end them if this one is killed."""
        self._next_record = time.monotonic() + RECORD_SECONDS
        leaders = [running.process for running in self._running]
        leaders += [service.process for service, _ in self.services.values()]
        alive = {process.pid for process in leaders if process is not None and process.poll() is None}
        now = frozenset(processes.family(alive))
        if now != self._recorded:
            leftovers.record(self.pid_file, now)
            self._recorded = now

    def _trim_logs(self) -> None:
        for running in self._running:
            processes.trim(running.child.log)
        for service, _ in self.services.values():
            processes.trim(service.log)

    def stop(self) -> None:
        """Programs first, all at once; then the servers that they use."""
        alive = [running.process for running in self._running if running.process is not None]
        self.record()
        processes.stop_all(alive, seconds=STOP_CHILDREN_SECONDS)
        self._running.clear()
        for service, _ in reversed(self.services.values()):
            service.stop(seconds=STOP_SERVICES_SECONDS)
        self.services.clear()
        processes.kill([identity for identity in self._recorded if processes.is_running(identity)])
        self.pid_file.unlink(missing_ok=True)

    def _start(self, running: _Running) -> None:
        child = running.child
        running.process = processes.start(child.arguments, log=child.log, env=child.env, cwd=child.cwd)
        running.started = time.monotonic()

    def _bury(self, running: _Running, process: subprocess.Popen[bytes]) -> None:
        processes.kill_session(process.pid)
        steady = time.monotonic() - running.started > STEADY_SECONDS
        running.deaths = 1 if steady else running.deaths + 1
        running.process = None
        pause = pause_before_restart(running.deaths)
        running.next_start = time.monotonic() + pause
        when = f"in {pause:.0f} s" if pause else "now"
        self.say(f"The {running.child.title} ended ({ending(process.returncode)}); starting it again {when}.")

    def _revive_service(self, name: str, service: Service[object], where: object) -> None:
        if service.process is None or service.process.poll() is None:
            return
        self.say(f"{name} ended ({ending(service.process.returncode)}); starting it again.")
        if service.start() != where:
            raise CannotStart(f"{name} came back on another port, since its own was taken; start again.")
        self.record()


def ending(code: int) -> str:
    """How a process ended, in words."""
    return f"signal {-code}" if code < 0 else f"exit code {code}"
