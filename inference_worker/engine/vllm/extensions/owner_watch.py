"""No process of the engine outlives the owner: the process that loaded it, such as an inference worker.

vLLM's engine process outlives an owner that was killed (SIGKILL, out of memory) and keeps its gigabytes, a GPU's too, for
ever. So the process that holds the model watches the owner and ends both. With one GPU that is the engine process itself,
whose parent is the owner; on a CPU and with several GPUs it is a worker process below the engine process.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading

import psutil

from inference_worker.engine.processes import NAME_PREFIX
from inference_worker.engine.vllm.environment import OWNER_VARIABLE

CHECK_SECONDS = 1.0


def begin() -> None:
    """Watch from a thread of this process; ends this process at once if the owner is gone already."""
    owner, parent = os.environ.get(OWNER_VARIABLE), os.getppid()
    if owner is None or os.getpid() == int(owner):
        return
    try:
        watched = psutil.Process(int(owner))
    except psutil.NoSuchProcess:
        _end(parent)
        return
    threading.Thread(target=watch, args=(watched, parent), name="owner-watch", daemon=True).start()


def watch(owner: psutil.Process, parent: int) -> None:
    """Block until `owner` has ended, then kill the engine process above this one, if there is one, and this one."""
    pause = threading.Event()
    with contextlib.suppress(psutil.NoSuchProcess):
        while owner.is_running() and owner.status() != psutil.STATUS_ZOMBIE:
            pause.wait(CHECK_SECONDS)
    _end(parent)


def _end(parent: int) -> None:
    with contextlib.suppress(psutil.Error):
        above = psutil.Process(parent)
        # Whoever has adopted this process, and the owner itself, must not be killed.
        if above.pid == os.getppid() and above.name().startswith(NAME_PREFIX):
            above.kill()
    os.kill(os.getpid(), signal.SIGKILL)
