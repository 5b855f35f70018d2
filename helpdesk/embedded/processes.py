"""Child processes that do not outlive their starter: start, identify, stop. Linux only.

Each child leads a session of its own: the terminal's Ctrl-C does not reach it, and everything that it starts can be
found and ended by that session's number, even when the child itself was killed.

/proc is read here: psutil tells neither a session nor, publicly, the start since boot, which no change of the clock moves.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

POLL_SECONDS = 0.05
PORT_SECONDS = 2.0
LOG_LIMIT_BYTES = 20 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Identity:
    """A process and when it started (clock ticks since boot): a process id alone may be given to another one."""

    pid: int
    started: int


@dataclass(frozen=True, slots=True)
class _Stat:
    state: str
    parent: int
    session: int
    started: int


def _stat(pid: int) -> _Stat | None:
    """The few fields of /proc/PID/stat that matter here; None when there is no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The command's name is in brackets and may hold spaces and brackets itself: count from the last one.
    fields = text.rpartition(")")[2].split()
    return _Stat(state=fields[0], parent=int(fields[1]), session=int(fields[3]), started=int(fields[19]))


def identify(pid: int) -> Identity | None:
    """The running process with this number; None when it is gone or only waits to be reaped."""
    stat = _stat(pid)
    return None if stat is None or stat.state in "ZX" else Identity(pid, stat.started)


def is_running(identity: Identity) -> bool:
    """Whether exactly this process, not a later one with the same number, still runs."""
    return identify(identity.pid) == identity


def session_members(session: int) -> list[Identity]:
    """Every running process of a session: its leader and whatever that started."""
    return [identity for identity in _all_processes() if (stat := _stat(identity.pid)) and stat.session == session]


def family(leaders: Collection[int]) -> list[Identity]:
    """The given processes, everything in their sessions and everything that descends from them."""
    stats = {identity: stat for identity in _all_processes() if (stat := _stat(identity.pid))}
    found = set(leaders)
    size = 0
    while size != len(found):
        size = len(found)
        found |= {one.pid for one, stat in stats.items() if stat.parent in found or stat.session in found}
    return [identity for identity in stats if identity.pid in found]


def working_in(folder: Path) -> list[Identity]:
    """Every running process whose working folder this is, as far as we may see."""
    return [identity for identity in _all_processes() if _works_in(identity.pid, folder)]


def _works_in(pid: int, folder: Path) -> bool:
    try:
        return os.path.samefile(f"/proc/{pid}/cwd", folder)
    except OSError:
        return False


def _all_processes() -> Iterator[Identity]:
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (identity := identify(int(entry))):
            yield identity


def start(
    arguments: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    user_switch: Sequence[str] = (),
    death_signal: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start a child with its output appended to `log`; the kernel sends it `death_signal` when its starter dies.

    Call it from a thread that lives as long as the child should: the kernel watches the thread, not the process.
    `user_switch` is a command prefix that changes the user; the death signal is set after it, as it would be lost.
    """
    command = [*user_switch, *_death_watch(death_signal), *map(str, arguments)]
    log.parent.mkdir(parents=True, exist_ok=True)
    trim(log)
    with open(log, "ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=None if env is None else dict(env),
            cwd=cwd,
            start_new_session=True,
        )


def _death_watch(death_signal: signal.Signals) -> list[str]:
    """util-linux's setpriv sets the signal without running Python between fork and exec."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", death_signal.name.removeprefix("SIG"), "--"] if setpriv else []


def trim(log: Path) -> None:
    """Keep one older log file of bounded size. Safe while a program writes: it appends, so it goes on at the front."""
    if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
        shutil.copyfile(log, log.with_name(f"{log.name}.1"))
        os.truncate(log, 0)


def stop(process: subprocess.Popen[bytes], *, seconds: float, first: signal.Signals = signal.SIGTERM) -> None:
    """Ask the child to end, wait, then kill what is left of its session."""
    stop_all([process], seconds=seconds, first=first)


def stop_all(
    children: Sequence[subprocess.Popen[bytes]], *, seconds: float, first: signal.Signals = signal.SIGTERM
) -> None:
    """Ask all children to end at once, wait for them together, then kill what is left of their sessions."""
    deadline = time.monotonic() + seconds
    for process in children:
        if process.poll() is None:
            process.send_signal(first)
    for process in children:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, deadline - time.monotonic()))
    for process in children:
        kill_session(process.pid)
        process.wait()


def kill_session(session: int, *, seconds: float = 5) -> None:
    """Kill every process of the session, and return when they are gone."""
    kill(session_members(session), seconds=seconds)


def kill(identities: Sequence[Identity], *, seconds: float = 5) -> None:
    """Kill exactly these processes (one whose number was reused meanwhile is left alone) and wait for their end."""
    for identity in identities:
        if is_running(identity):
            _signal(identity, signal.SIGKILL)
    wait_until_gone(identities, seconds=seconds)


def terminate(identities: Sequence[Identity], *, seconds: float) -> None:
    """Ask processes that are not our children to end, then kill them."""
    for identity in identities:
        if is_running(identity):
            _signal(identity, signal.SIGTERM)
    wait_until_gone(identities, seconds=seconds)
    kill(identities)


def _signal(identity: Identity, number: signal.Signals) -> None:
    try:
        os.kill(identity.pid, number)
    except ProcessLookupError:
        return


def wait_until_gone(identities: Sequence[Identity], *, seconds: float) -> bool:
    """Whether all of them ended within the time."""
    deadline = time.monotonic() + seconds
    while any(is_running(identity) for identity in identities):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def is_port_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen there now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def remembered_port(memo: Path) -> int:
    """The port of the last start while it is free, else a free one, which is written down for the next start.

    A server killed a moment ago may hold its port for as long as its last thread takes to end.
    """
    try:
        port = int(memo.read_text(encoding="ascii"))
    except (OSError, ValueError):
        port = 0
    deadline = time.monotonic() + PORT_SECONDS
    while port and not is_port_free(port) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    if not port or not is_port_free(port):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        memo.write_text(f"{port}\n", encoding="ascii")
    return port


def last_lines(log: Path, count: int = 15) -> str:
    """The end of a log file, for an error message."""
    try:
        return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-count:])
    except OSError:
        return ""
