"""What must be true before anything is started; each check says in one sentence what is missing."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
from pathlib import Path
from typing import TextIO

from helpdesk.embedded import processes
from helpdesk.embedded.errors import CannotStart
from helpdesk.embedded.secret_files import private_folder

NEEDED_GIB = 2.0


def check_python(version: tuple[int, int]) -> None:
    """The locked packages are for one version of Python."""
    if version != (3, 11):
        raise CannotStart(f"Python 3.11 is needed and this is {version[0]}.{version[1]}: run `make env`.")


def check_processor(cpuinfo: str) -> None:
    """The CPU engine is compiled for AVX2 (`cpuinfo` is the text of /proc/cpuinfo)."""
    flags = next((line for line in cpuinfo.splitlines() if line.startswith("flags")), "")
    if "avx2" not in flags.split():
        raise CannotStart("This processor has no AVX2 instructions, which the CPU engine needs.")


def check_disk(folder: Path, *, needed_gib: float = NEEDED_GIB) -> None:
    """Room for databases, logs and checkpoints."""
    free = shutil.disk_usage(folder).free / 2**30
    if free < needed_gib:
        raise CannotStart(f"{needed_gib:.1f} GiB of free disk are needed under {folder} and {free:.1f} are left.")


def parse_port(text: str) -> int:
    """A port number as a person typed it."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise CannotStart(f"PORT must be a number from 1 to 65535, not {text!r}.")
    return int(text)


def check_port(port: int, host: str) -> None:
    """Nobody else listens where the web server will."""
    if not processes.is_port_free(port, host):
        raise CannotStart(
            f"Port {port} on {host} is taken by another program (or not ours to use): stop that program, or choose "
            f"another port with `make run PORT={port + 1 if port < 65535 else 8000}`."
        )


def check_folder(folder: Path, *, variable: str) -> None:
    """The folder exists (made if need be) and can be written."""
    try:
        private_folder(folder)
        probe = folder / f".writable.{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise CannotStart(
            f"The folder {folder} cannot be written ({error.strerror}): name another one with {variable}."
        ) from error


def claim_folder(folder: Path) -> TextIO:
    """Hold the data folder for this process; keep the returned file open for as long as that shall last."""
    stream = open(folder / "lock", "a", encoding="ascii")  # noqa: SIM115  # its lifetime is the lock's
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        stream.close()
        raise CannotStart(
            f"Glassdesk already runs on the data folder {folder}: stop it first, or name another folder with "
            "GLASSDESK_DATA (and another PORT)."
        ) from error
    return stream


def check_machine(*, folder: Path, port: int, host: str, cpu_engine: bool) -> None:
    """All checks that need no lock, the cheapest first."""
    check_python(sys.version_info[:2])
    if cpu_engine:
        check_processor(Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace"))
    check_folder(folder, variable="GLASSDESK_DATA")
    check_disk(folder)
    check_port(port, host)
