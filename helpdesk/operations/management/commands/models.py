"""`manage.py models`: what the inference workers serve."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import IO, Any, cast

import redis
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from helpdesk.operations.register import age_words, parameters_words, seconds_words, state_words, step_words
from helpdesk.queue.workers import WorkerState, WorkerStatus, read_workers
from inference_worker.engine.weights import hub

COLOURS = {WorkerState.WARM: "green", WorkerState.LOADING: "cyan", WorkerState.RESTARTING: "yellow"}


class Command(BaseCommand):
    """Read-only; answers at once."""

    help = "Lists the models that inference workers serve: size, precision, memory, state, and how loading went."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="everything that is known, for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print a table, or JSON."""
        try:
            workers = read_workers()
        except redis.RedisError as error:
            raise CommandError("Redis does not answer, so the workers are unknown: is the desk running?") from error
        if options["json"]:
            self.stdout.write(json.dumps([worker.to_json() for worker in workers], indent=1))
            return
        if not workers:
            self.stdout.write("No inference worker has reported. Start the desk with `make run`.")
            return
        console = Console(file=cast("IO[str]", self.stdout), width=None if self.stdout.isatty() else 140)
        console.print(table(workers))
        for worker in workers:
            steps = ", ".join(
                f"{step_words(step.name)} {seconds_words(step.seconds) if step.seconds is not None else '…'}"
                for step in worker.load_log
            )
            console.print(f"{escape(worker.name)}: {escape(steps)}", highlight=False, soft_wrap=True)
        if only_quotes(workers):
            console.print(escape(hub.STRONGER_HINT), highlight=False, soft_wrap=True)


def only_quotes(workers: list[WorkerStatus]) -> bool:
    """Whether the desk's first model is loaded and writes no language, so that a stronger one would bring something."""
    first = [worker for worker in workers if not worker.alias and worker.parameters]
    return bool(first) and not any(worker.writes for worker in first)


def table(workers: list[WorkerStatus]) -> Table:
    """One row for each worker."""
    columns = (
        "name",
        "model",
        "precision",
        "parameters",
        "writes",
        "memory",
        "device",
        "engine",
        "queue",
        "state",
        "up",
        "restarts",
    )
    shown = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for worker in workers:
        colour = COLOURS.get(worker.state, "red")
        shown.add_row(
            escape(worker.alias or "default"),
            escape(worker.model),
            worker.precision or "–",
            parameters_words(worker.parameters) or "–",
            ", ".join(worker.writes) or "–",
            f"{worker.memory_bytes / 2**30:.1f} GiB",
            worker.device or "–",
            f"{worker.engine} {worker.engine_version}".strip() or "–",
            worker.queue,
            f"[{colour}]{state_words(worker.state)}[/]",
            age_words(worker.started_at),
            str(worker.restarts),
        )
    return shown
