"""An owner that is killed takes the engine with it, whichever process holds the model. Real processes, without a model."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

PROJECT = Path(__file__).resolve().parents[3]

# `python -c PROGRAM FILE KIND…`: the process writes its id, does what the first kind does, starts the next kind, and waits.
PROGRAM = """
import os, subprocess, sys, threading
import setproctitle
program, file, kind, *below = sys.argv[0], *sys.argv[1:]
from inference_worker.engine.vllm.extensions import owner_watch
owner_watch.CHECK_SECONDS = 0.05
if kind == "owner":
    os.environ[owner_watch.OWNER_VARIABLE] = str(os.getpid())
if kind in ("engine", "holding-engine"):
    setproctitle.setproctitle("VLLM::EngineCore")
if kind in ("holder", "holding-engine"):
    owner_watch.begin()
with open(file, "a") as out:
    out.write(f"{kind} {os.getpid()}\\n")
if below:
    subprocess.Popen([sys.executable, "-c", os.environ["PROGRAM"], file, *below])
threading.Event().wait(60)
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., dict[str, psutil.Process]]]:
    """Starts processes below each other; ends those that are left."""
    begun: list[psutil.Process] = []

    def run(*kinds: str) -> dict[str, psutil.Process]:
        file = tmp_path / "processes"
        env = {**os.environ, "PROGRAM": PROGRAM, "PYTHONPATH": str(PROJECT)}
        top = subprocess.Popen([sys.executable, "-c", PROGRAM, str(file), *kinds], env=env)
        begun.append(psutil.Process(top.pid))
        assert eventually(lambda: file.exists() and len(file.read_text().splitlines()) == len(kinds))
        found = {
            kind: psutil.Process(int(pid)) for kind, pid in (line.split() for line in file.read_text().splitlines())
        }
        begun.extend(found.values())
        return found

    yield run
    for process in begun:
        if is_left(process):
            process.kill()
        with_parent = process.ppid() == os.getpid() if psutil.pid_exists(process.pid) else False
        if with_parent:
            process.wait(10)


def is_left(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def eventually(condition: Callable[[], bool], seconds: float = 30.0) -> bool:
    deadline = time.monotonic() + seconds
    while not (met := condition()) and time.monotonic() < deadline:
        threading.Event().wait(0.05)
    return met


def test_an_engine_process_that_holds_the_model_itself_ends_with_its_killed_owner(
    start: Callable[..., dict[str, psutil.Process]],
) -> None:
    # One GPU: there is no worker process, and the parent is the owner.
    found = start("owner", "holding-engine")
    os.kill(found["owner"].pid, signal.SIGKILL)
    assert eventually(lambda: not is_left(found["holding-engine"]))


def test_a_worker_process_ends_the_engine_process_above_it_too(start: Callable[..., dict[str, psutil.Process]]) -> None:
    found = start("owner", "engine", "holder")
    os.kill(found["owner"].pid, signal.SIGKILL)
    assert eventually(lambda: not any(is_left(found[kind]) for kind in ("engine", "holder")))


def test_a_parent_that_is_no_engine_process_is_left_alone(start: Callable[..., dict[str, psutil.Process]]) -> None:
    found = start("owner", "shell", "holder")
    os.kill(found["owner"].pid, signal.SIGKILL)
    assert eventually(lambda: not is_left(found["holder"]))
    assert is_left(found["shell"])


def test_all_go_on_while_the_owner_lives(start: Callable[..., dict[str, psutil.Process]]) -> None:
    found = start("owner", "engine", "holder")
    found["engine"].kill()
    assert eventually(lambda: not is_left(found["engine"]))
    assert is_left(found["owner"])
    assert is_left(found["holder"])
