"""The steps from an empty data folder to a desk that answers; `manage.py up` runs them in order."""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import redis
from django.core.exceptions import ImproperlyConfigured
from rich.markup import escape

from helpdesk.demo.tenants import demo_tenants
from helpdesk.embedded import chat_model, checks, leftovers, metrics_ports, processes, readiness
from helpdesk.embedded.children import Child, child_environment, children
from helpdesk.embedded.engine_watch import EngineWatch
from helpdesk.embedded.errors import CannotStart
from helpdesk.embedded.postgres import Postgres
from helpdesk.embedded.progress import Steps, Update
from helpdesk.embedded.secret_files import master_key, private_folder, secret_file
from helpdesk.embedded.supervisor import Supervisor
from helpdesk.embedded.valkey import Valkey

EARLY_DEATHS = 3
LOOK_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run and where. `given` are the environment variables that a person set.

    `chat_model` is the model that a person set: empty for none, `none` where there is no real engine. `hub_model` is the
    hub's model that shall be tried first, empty for none.
    """

    project: Path
    data: Path
    cache: Path
    port: int
    host: str
    cpu_engine: bool
    inference_threads: int
    chat_model: str
    hub_model: str
    packaged_embeddings: bool
    given: Mapping[str, str]
    health_host: str
    https: bool
    models: Mapping[str, str] = field(default_factory=dict)


class Stack:
    """One start: owns the supervisor and the environment that the programs get."""

    def __init__(self, plan: Plan, steps: Steps) -> None:
        self.plan = plan
        self.steps = steps
        self.supervisor = Supervisor(pid_file=plan.data / "processes.json", say=steps.warn)
        self.environment: dict[str, str] = {}
        self._metrics_ports: dict[str, int] = {}
        self._owner_url = plan.given.get("DATABASE_OWNER_URL", "")
        self._lock: object = None
        # What the workers get in place of a model that a person set and that cannot be had now.
        self._instead: dict[str, str] = {}

    def start(self) -> None:
        """Bring everything up; raises CannotStart with a sentence for the person at the terminal."""
        self._check()
        self._make_secrets()
        self._prepare_checkpoints()
        self._start_services()
        if "GLASSDESK_ADDRESS" not in self.plan.given:
            self.environment["GLASSDESK_ADDRESS"] = f"http://localhost:{self.plan.port}"
        self._write_environment()
        with self.steps.step("Database schema"):
            self._manage("migrate", "--skip-checks", "--no-input", env={"DATABASE_URL": self._owner_url})
        # The engine takes longest to get warm, so the programs start first.
        self.supervisor.start_children(self._children())
        with self.steps.step("Demo tenants"):
            self._manage("load_demo", "--skip-checks")
        self._wait_until_ready()
        self.steps.plain(_addresses(self.plan.port))
        targets = metrics_ports.write_targets(self.plan.data, web_port=self.plan.port, ports=self._metrics_ports)
        self.steps.plain(
            f"Metrics: http://127.0.0.1:{self.plan.port}/metrics and those of the workers, listed in {targets}"
        )

    def supervise(self, *, until: Callable[[], bool]) -> None:
        """Restart what dies, until the condition holds or a signal comes."""
        url = self.environment.get("REDIS_URL") or self.plan.given["REDIS_URL"]
        with redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1) as connection:
            engines = EngineWatch(connection, self.steps.warn)
            while not until():
                time.sleep(LOOK_SECONDS)
                self.supervisor.look_after()
                engines.look()

    def _check(self) -> None:
        plan = self.plan
        try:
            demo_tenants()
        except ImproperlyConfigured as error:
            raise CannotStart(str(error)) from error
        with self.steps.step("Checks") as update:
            checks.check_folder(plan.data, variable="GLASSDESK_DATA")
            self._lock = checks.claim_folder(plan.data)
            update("ending what an earlier start left behind")
            ended = leftovers.stop_leftovers(self.supervisor.pid_file)
            checks.check_machine(folder=plan.data, port=plan.port, host=plan.host, cpu_engine=plan.cpu_engine)
        if ended:
            self.steps.warn(f"Ended {ended} processes that an earlier start had left behind.")

    def _make_secrets(self) -> None:
        folder = private_folder(self.plan.data / "secrets")
        for name in ("logs", "static"):
            private_folder(self.plan.data / name)
        for variable, make in {"GLASSDESK_MASTER_KEY": master_key, "GLASSDESK_SECRET_KEY": None}.items():
            if variable in self.plan.given or f"{variable}_FILE" in self.plan.given:
                continue
            path = folder / variable.removeprefix("GLASSDESK_").lower()
            secret_file(path, make) if make else secret_file(path)
            self.environment[f"{variable}_FILE"] = str(path)

    def _prepare_checkpoints(self) -> None:
        """Turn the packaged weights into checkpoints; a moment when that was done before."""
        from inference_worker.engine.weights import checkpoints, hub, packaged

        try:
            taken = self._take_from_hub()
            if taken is None and (self.plan.hub_model or self.plan.chat_model in ("", checkpoints.PACKAGED)):
                with self.steps.step("Chat model") as update:
                    checkpoints.prepare_chat(self.plan.cache, precision="int4", progress=_percent(update))
            if not self.plan.chat_model:
                self.environment["GLASSDESK_AUTOMATIC_CHAT_MODEL"] = str(taken or checkpoints.PACKAGED)
                if not self.plan.hub_model:
                    self.steps.say(escape(hub.STRONGER_HINT))
            if self.plan.packaged_embeddings:
                with self.steps.step("Embedding model") as update:
                    checkpoints.prepare_embeddings(self.plan.cache, progress=_percent(update))
        except packaged.PackagedWeightsError as error:
            raise CannotStart(str(error)) from error
        except OSError as error:
            raise CannotStart(
                f"The models could not be written under {self.plan.cache} ({error.strerror}): free some space there "
                "or name another folder with GLASSDESK_CACHE."
            ) from error

    def _take_from_hub(self) -> Path | None:
        """Folder of the hub's model; None without one, and a line says why it could not be had."""
        plan = self.plan
        if not plan.hub_model:
            return None
        with self.steps.step("Chat model from the hub") as update:
            taken = chat_model.take(
                plan.hub_model,
                plan.cache,
                revision=plan.given.get("GLASSDESK_CHAT_MODEL_REVISION", ""),
                only_free=not plan.chat_model,
                progress=_percent(update),
            )
        self.steps.warn(taken.said)
        if taken.folder is None and plan.chat_model:
            self._instead = {"GLASSDESK_CHAT_MODEL": "packaged", "GLASSDESK_CHAT_MODEL_REVISION": ""}
        return taken.folder

    def _start_services(self) -> None:
        if "DATABASE_URL" not in self.plan.given:
            with self.steps.step("PostgreSQL"):
                postgres = Postgres(self.plan.data / "postgres")
                urls = self.supervisor.start_service("PostgreSQL", postgres)
                self.environment["DATABASE_URL"] = urls.app
                self._owner_url = urls.owner
        elif not self._owner_url:
            raise CannotStart(
                "DATABASE_URL is set and DATABASE_OWNER_URL is not: set it to the URL of the role that owns the "
                "database, since the restricted role of DATABASE_URL cannot migrate it."
            )
        if "REDIS_URL" not in self.plan.given:
            with self.steps.step("Valkey"):
                url = self.supervisor.start_service("Valkey", Valkey(self.plan.data / "valkey"))
                _forget_workers(url)
                self.environment["REDIS_URL"] = url

    def _write_environment(self) -> None:
        """For other commands in this folder, so that `manage.py ask` needs no variables."""
        path = self.plan.data / "environment"
        path.touch(mode=0o600)
        lines = [f"{name}={value}" for name, value in self.environment.items()]
        path.write_text("\n".join(["# Written by `manage.py up`.", *lines, ""]), encoding="utf-8")

    def _children(self) -> list[Child]:
        self._metrics_ports = metrics_ports.choose(self.plan.data, self.plan.models)
        metrics_ports.empty_shared_folder(self.plan.data)
        return children(
            env=self._child_environment(),
            project=self.plan.project,
            data=self.plan.data,
            host=self.plan.host,
            port=self.plan.port,
            inference_threads=self.plan.inference_threads,
            models=self.plan.models,
            metrics_ports=self._metrics_ports,
        )

    def _wait_until_ready(self) -> None:
        plan = self.plan
        with self.steps.step("Warm engine, workers and web server") as update:
            while True:
                for child in self.supervisor.look_after():
                    self._report_early_death(child)
                state = readiness.ask(plan.port, host=plan.health_host, https=plan.https, models=plan.models)
                if state.ready:
                    return
                update(f"waiting for {', '.join(state.waiting_for)}")
                time.sleep(LOOK_SECONDS)

    def _report_early_death(self, child: Child) -> None:
        self.steps.plain(processes.last_lines(child.log))
        if self.supervisor.deaths(child) >= EARLY_DEATHS:
            raise CannotStart(f"The {child.title} ended {EARLY_DEATHS} times while starting; its log is {child.log}.")

    def _child_environment(self) -> dict[str, str]:
        places = {"GLASSDESK_DATA": str(self.plan.data), "GLASSDESK_CACHE": str(self.plan.cache)}
        return child_environment(
            os.environ, {**places, "PORT": str(self.plan.port), **self.environment, **self._instead}
        )

    def _manage(self, *arguments: str, env: Mapping[str, str] | None = None) -> None:
        """Run a management command to its end, in a process of its own."""
        log = self.plan.data / "logs" / f"{arguments[0]}.log"
        log.unlink(missing_ok=True)
        process = processes.start(
            [sys.executable, self.plan.project / "manage.py", *arguments],
            log=log,
            env={**self._child_environment(), **(env or {})},
            cwd=self.plan.project,
        )
        try:
            if process.wait() != 0:
                raise CannotStart(f"`manage.py {arguments[0]}` failed:\n{processes.last_lines(log)}")
        finally:
            processes.stop(process, seconds=2)


def _addresses(port: int) -> str:
    """What `demo_addresses` prints; it needs no database, so it runs here and costs no second start of Python."""
    from django.core.management import call_command

    printed = io.StringIO()
    call_command("demo_addresses", port=port, stdout=printed)
    return printed.getvalue().rstrip()


def _forget_workers(url: str) -> None:
    """Workers that were killed moments ago left heartbeats behind, by which the desk would look ready too early."""
    from helpdesk.queue import workers

    with redis.Redis.from_url(url) as client:
        client.delete(workers.KEY)


def _percent(update: Update) -> Callable[[str, float], None]:
    return lambda step, share: update(f"{step} {share:.0%}")
