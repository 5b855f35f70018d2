"""Runs the pieces one after the other, each in a process of its own, and looks what is left of each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from bench.gpu.job import Job, gpu_used_mib
from bench.stacks import ROOT

POLL_SECONDS = 0.2
END_SECONDS = 10.0


def run_piece(job: Job, until: float) -> dict[str, Any]:
    """What the piece reported, how it ended, and whether its engine ended with it. `until` is on the monotonic clock."""
    report = Path(job.out) / f"{job.name}.json"
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "VLLM_LOGGING_LEVEL": "INFO"}
    begun = time.monotonic()
    with open(Path(job.out) / f"{job.name}.log", "wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.gpu.piece", str(job.write())],
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env=environment,
        )
    ours: dict[int, psutil.Process] = {}
    until = min(until, begun + job.seconds)
    while process.poll() is None and time.monotonic() < until:
        ours |= {each.pid: each for each in _below(process.pid)}
        time.sleep(POLL_SECONDS)
    is_late = process.poll() is None
    if is_late:
        process.kill()
    process.wait()
    found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8")) if report.exists() else {"name": job.name}
    found["ended"] = f"{'stopped' if is_late else process.returncode} after {time.monotonic() - begun:.0f} s"
    if "engine_pids" in found:
        found["killed_owner"] = _after_the_owner(found["engine_pids"])
    _end([each for each in ours.values() if each.is_running()])
    found["gpu_mib_after"] = gpu_used_mib()
    return found


def _below(pid: int) -> list[psutil.Process]:
    try:
        return list(psutil.Process(pid).children(recursive=True))
    except psutil.Error:
        return []


def _after_the_owner(pids: list[int]) -> str:
    """Whether the engine's processes end by themselves, and how soon."""
    begun = time.monotonic()
    while (left := [pid for pid in pids if _is_left(pid)]) and time.monotonic() - begun < END_SECONDS:
        time.sleep(POLL_SECONDS / 4)
    seconds = time.monotonic() - begun
    return f"FAIL: {len(left)} of {len(pids)} processes are left" if left else f"ok: all ended after {seconds:.1f} s"


def _is_left(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _end(processes: list[psutil.Process]) -> None:
    """Nothing of a piece may hold memory when the next begins."""
    for process in processes:
        try:
            process.kill()
        except psutil.Error:
            continue
    psutil.wait_procs(processes, timeout=END_SECONDS)
