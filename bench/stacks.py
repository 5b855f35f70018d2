"""Starts and stops a whole desk (`manage.py up`) with a data folder of its own, for measurements."""

from __future__ import annotations

import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
READY_LINE = "Stop with Ctrl-C"
START_SECONDS = 900
STOP_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Stack:
    """A running desk."""

    host: str
    data: Path
    pid: int
    environment: dict[str, str]

    def connect(self) -> None:
        """Make this process one that shares the desk's database and Valkey; for one desk in a process' life."""
        os.environ |= self.environment | {"DJANGO_SETTINGS_MODULE": "helpdesk.settings"}
        import django

        django.setup()


@contextmanager
def running_desk(**variables: str) -> Iterator[Stack]:
    """The product on the embedded default with the demo companies; stopped and removed afterwards."""
    data = Path(tempfile.mkdtemp(prefix="glassdesk-bench-"))
    port = free_port()
    environment = {
        **os.environ,
        "GLASSDESK_DATA": str(data),
        "PORT": str(port),
        "GLASSDESK_ANSWER_CACHE_TTL": "0",
        # Figures of two machines are of the same model.
        "GLASSDESK_CHAT_MODEL": os.environ.get("GLASSDESK_CHAT_MODEL", "packaged"),
    } | variables
    process = subprocess.Popen(
        [sys.executable, "manage.py", "up"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        _wait_until_ready(process)
        indexing = [sys.executable, "manage.py", "wait_until_indexed"]
        subprocess.run(indexing, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
        yield Stack(f"localhost:{port}", data, process.pid, environment)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(STOP_SECONDS)
        shutil.rmtree(data, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Services:
    """A migrated database and a Valkey, and the environment of those who use them."""

    data: Path
    environment: dict[str, str]


@contextmanager
def running_services() -> Iterator[Services]:
    """PostgreSQL and Valkey without a desk, in a folder of their own; stopped and removed afterwards."""
    from helpdesk.embedded.postgres import Postgres
    from helpdesk.embedded.secret_files import master_key
    from helpdesk.embedded.valkey import Valkey

    data = Path(tempfile.mkdtemp(prefix="glassdesk-bench-"))
    postgres, valkey = Postgres(data / "postgres"), Valkey(data / "valkey")
    try:
        urls = postgres.start()
        environment = {
            **os.environ,
            "GLASSDESK_DATA": str(data),
            "DATABASE_URL": urls.app,
            "REDIS_URL": valkey.start(),
            "GLASSDESK_MASTER_KEY": master_key(),
            "GLASSDESK_SECRET_KEY": "measuring-only-" * 5,
        }
        migrating = [sys.executable, "manage.py", "migrate", "--skip-checks", "--verbosity", "0"]
        subprocess.run(migrating, cwd=ROOT, env=environment | {"DATABASE_URL": urls.owner}, check=True)
        yield Services(data, environment)
    finally:
        valkey.stop()
        postgres.stop()
        shutil.rmtree(data, ignore_errors=True)


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    model = next(
        (line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), ""
    )
    memory = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**20),
        "system": platform.platform(),
        "python": platform.python_version(),
        "omp_num_threads": os.environ.get("OMP_NUM_THREADS", ""),
        "load_before": os.getloadavg()[0],
        "date": time.strftime("%Y-%m-%d"),
    }


def _wait_until_ready(process: subprocess.Popen[str]) -> None:
    """Returns when the desk says that it serves; its later output is read and dropped."""
    lines: list[str] = []
    ready = threading.Event()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            if not ready.is_set():
                lines.append(line)
            if READY_LINE in line:
                ready.set()

    threading.Thread(target=read, daemon=True).start()
    deadline = time.monotonic() + START_SECONDS
    while not ready.wait(0.2):
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit("The desk did not start:\n" + "".join(lines[-40:]))


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
