"""The processes that vLLM starts: what they use, and that none of them is left behind."""

from __future__ import annotations

import contextlib
import subprocess
from pathlib import Path

import psutil

from inference_worker.engine.processor_share import ProcessorTimes

NAME_PREFIX = "VLLM"
END_TIMEOUT_SECONDS = 5.0
NANOSECONDS = 1e9
GPU_ASK_SECONDS = 2.0


def find_processes() -> list[psutil.Process]:
    """The engine's processes below this one."""
    children = psutil.Process().children(recursive=True)
    return [process for process in children if process.name().startswith(NAME_PREFIX)]


def end_processes(processes: list[psutil.Process]) -> None:
    """Wait until the processes have ended, kill those that linger, and reap them."""
    _, left = psutil.wait_procs(processes, timeout=END_TIMEOUT_SECONDS)
    for process in left:
        process.kill()
    psutil.wait_procs(left, timeout=END_TIMEOUT_SECONDS)


def memory_bytes(processes: list[psutil.Process]) -> int:
    """Resident memory of the processes; those that ended count nothing."""
    total = 0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            total += process.memory_info().rss
    return total


def processor_seconds(processes: list[psutil.Process]) -> float:
    """Processor time that the processes have used."""
    total = 0.0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            times = process.cpu_times()
            total += times.user + times.system
    return total


def processor_times(processes: list[psutil.Process]) -> ProcessorTimes:
    """Processor time that the processes' threads have used and waited for; without schedstat nothing was waited for."""
    used = waited = 0
    for process in processes:
        for thread in Path(f"/proc/{process.pid}/task").glob("*/schedstat"):
            with contextlib.suppress(OSError, ValueError):
                on_processor, ready, _ = thread.read_text(encoding="ascii").split()
                used, waited = used + int(on_processor), waited + int(ready)
    if not used:
        return ProcessorTimes(processor_seconds(processes))
    return ProcessorTimes(used / NANOSECONDS, waited / NANOSECONDS)


def idle_seconds() -> float:
    """Seconds that the machine's processors had nothing to do."""
    return float(psutil.cpu_times().idle)


def gpu_memory_bytes(processes: list[psutil.Process]) -> int | None:
    """GPU memory that the processes hold, as nvidia-smi tells; None where it does not."""
    command = ["nvidia-smi", "--query-compute-apps=pid,used_gpu_memory", "--format=csv,noheader,nounits"]
    try:
        listed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=GPU_ASK_SECONDS).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return used_gpu_memory(listed, {process.pid for process in processes})


def used_gpu_memory(listed: str, pids: set[int]) -> int | None:
    """Bytes in the lines "process id, MiB" of these processes; None where none of them is listed with a number.

    In a container the ids are the host's, or nothing is listed; some drivers give "[N/A]".
    """
    rows = [[part.strip() for part in line.split(",")] for line in listed.splitlines()]
    ours = [int(row[1]) << 20 for row in rows if len(row) == 2 and row[0] in map(str, pids) and row[1].isdigit()]
    return sum(ours) if ours else None
