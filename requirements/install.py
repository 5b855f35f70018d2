#!/usr/bin/env python3.11
"""Install the locked packages into an environment that all checkouts of this machine share, and link it as `.venv`.

Standard library only: it runs before anything is installed. An environment is named after what it holds, built once
under a lock and marked complete at its end; an interrupted build starts anew.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import system_packages
from system_packages import CannotInstall

FOLDER = Path(__file__).resolve().parent
PROJECT = FOLDER.parent
PYTORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
NEEDED_GIB = {"cpu": 6, "gpu": 20}
PIP = ("-m", "pip", "install", "--no-deps", "--no-compile", "--disable-pip-version-check", "--no-input")


def main() -> int:
    """Make the environment, the link and the compiled translations; says in one sentence what stands in the way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=("cpu", "gpu"), default="cpu")
    parser.add_argument("--browser", action="store_true", help="also see to a browser and Chinese fonts for the tests")
    options = parser.parse_args()
    try:
        check_machine(options.engine)
        environment = ensure_environment(options.engine)
        link(environment)
        subprocess.run([environment / "bin/python", FOLDER / "compile_translations.py"], check=True)
        system_packages.ensure_library("libnuma.so.1", package="libnuma1")
        if options.browser:
            system_packages.ensure_browser()
    except CannotInstall as error:
        print(f"Cannot go on: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted; run the command again to go on.", file=sys.stderr)
        return 130
    return 0


def check_machine(engine: str) -> None:
    """Refuse what cannot work before anything is downloaded."""
    if sys.version_info[:2] != (3, 11):
        raise CannotInstall(
            f"Python 3.11 is needed and this is {platform.python_version()}; install python3.11 or name one with "
            "`make PYTHON=/path/to/python3.11 …`."
        )
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise CannotInstall(f"Linux on x86_64 is needed and this is {platform.system()} on {platform.machine()}.")
    if engine == "cpu" and " avx2 " not in Path("/proc/cpuinfo").read_text(encoding="utf-8"):
        raise CannotInstall("this processor has no AVX2 instructions, which the CPU engine needs.")
    if engine == "gpu" and shutil.which("nvidia-smi") is None:
        raise CannotInstall(
            "GPU=1 was asked for, but nvidia-smi is not there: install the NVIDIA driver or leave GPU=1 out."
        )


def ensure_environment(engine: str) -> Path:
    """The environment of this lock file, built first when it is not there."""
    lock_file = FOLDER / f"{engine}.lock"
    cache = Path(os.environ.get("GLASSDESK_CACHE", "~/.cache/glassdesk")).expanduser().resolve()
    identity = hashlib.sha256(lock_file.read_bytes() + sys.base_prefix.encode()).hexdigest()[:10]
    environment = cache / f"venv-{engine}-{identity}"
    if is_complete(environment):
        return environment
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with only_one(cache / f"{environment.name}.lock"):
            if not is_complete(environment):
                build(environment, lock_file, engine)
    except OSError as error:
        raise CannotInstall(
            f"the cache folder {cache} cannot be used: {error.strerror}; set GLASSDESK_CACHE."
        ) from error
    return environment


def is_complete(environment: Path) -> bool:
    """Built to the end, and its interpreter is still there."""
    return (environment / ".complete").exists() and (environment / "bin/python").exists()


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Hold the lock; says so when another installation has it."""
    with open(path, "w", encoding="ascii") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another installation into the same folder is running; waiting for it.", flush=True)
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def build(environment: Path, lock_file: Path, engine: str) -> None:
    """A new environment with exactly the lock file's packages."""
    if environment.exists():
        shutil.rmtree(environment)
    free = shutil.disk_usage(environment.parent).free / 2**30
    if free < NEEDED_GIB[engine]:
        raise CannotInstall(
            f"{NEEDED_GIB[engine]} GiB of free disk are needed under {environment.parent} and {free:.1f} are left; "
            "free some or set GLASSDESK_CACHE to a folder with more."
        )
    begun = time.monotonic()
    print(f"Making the environment {environment}", flush=True)
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    requirements = [line for line in lock_file.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    torch = next(line for line in requirements if line.startswith("torch=="))
    installer = Pip(environment, log=environment.parent / f"{environment.name}.log")
    if engine == "cpu":
        install_cpu_torch(installer, torch)
        requirements.remove(torch)
    installer.install("packages", requirements)
    show("Compiling")  # on all cores, which pip does not use
    subprocess.run([installer.python, "-m", "compileall", "-qq", "-j", "0", environment / "lib"], check=False)
    show("")
    (environment / ".complete").touch()
    print(f"Installed {len(requirements)} packages in {time.monotonic() - begun:.0f} s.", flush=True)


def install_cpu_torch(installer: Pip, requirement: str) -> None:
    """PyTorch's CPU build, from wherever pip is set to look, else from PyTorch's own index of CPU builds.

    The local version (+cpu) in the requirement keeps the CUDA build of the default index out.
    """
    try:
        installer.install("PyTorch", [requirement])
    except CannotInstall:
        installer.install("PyTorch (from its own index)", [requirement], "--index-url", PYTORCH_CPU_INDEX)


class Pip:
    """Runs the environment's pip with its output in a log file and one line of progress on the terminal."""

    def __init__(self, environment: Path, *, log: Path) -> None:
        self.python = environment / "bin/python"
        self.log = log
        self.log.unlink(missing_ok=True)

    def install(self, title: str, requirements: list[str], *options: str) -> None:
        """Install exactly these requirements."""
        listing = self.log.with_suffix(".txt")
        listing.write_text("\n".join(requirements) + "\n", encoding="utf-8")
        command = [str(self.python), *PIP, *options, "--requirement", str(listing)]
        with open(self.log, "a", encoding="utf-8") as log:
            pip = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            output = self._follow(pip, log, title=title, total=len(requirements))
        listing.unlink()
        if pip.wait() != 0:
            raise CannotInstall(f"installing {title} failed: {reason(output)} (Log: {self.log}.)")

    @staticmethod
    def _follow(pip: subprocess.Popen[str], log: TextIO, *, title: str, total: int) -> list[str]:
        assert pip.stdout is not None
        lines: list[str] = []
        count = 0
        for line in pip.stdout:
            log.write(line)
            lines.append(line.rstrip())
            if line.startswith(("Collecting ", "Processing ")):
                count += line.startswith("Collecting ")
                show(f"{title}: {min(count, total)}/{total} {line.split()[1]}")
            elif line.startswith("Installing collected"):
                show(f"{title}: unpacking {total}, this takes a minute or two")
        show("")
        return lines


def show(text: str) -> None:
    """Replace the progress line; nothing on anything but a terminal."""
    if sys.stdout.isatty():
        print(f"\r\033[K{text[: shutil.get_terminal_size().columns - 1]}", end="", flush=True)


def reason(output: list[str]) -> str:
    """What pip's output says in the end, as a sentence."""
    text = "\n".join(output)
    if "No space left on device" in text:
        return "the disk is full; free some space and run the command again."
    errors = [line.removeprefix("ERROR: ") for line in output if line.startswith("ERROR: ")]
    said = errors[0] if errors else (output[-1] if output else "pip said nothing")
    return f"{said.rstrip('.')}. Check the network and run the command again."


def link(environment: Path) -> None:
    """Point the project's `.venv` at the environment, in one step."""
    target = PROJECT / ".venv"
    if target.is_dir() and not target.is_symlink():
        raise CannotInstall(f"{target} is a folder of its own; move it away, so that a link can take its place.")
    draft = PROJECT / f".venv.{os.getpid()}"
    draft.symlink_to(environment)
    draft.replace(target)


if __name__ == "__main__":
    sys.exit(main())
