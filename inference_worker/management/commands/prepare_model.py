"""`manage.py prepare_model`: the packaged chat model as a standard checkpoint, in the precision that you choose."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any, get_args

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import Progress as ProgressBar

from inference_worker.engine.weights.checkpoints import Precision, parse_precision, prepare_chat
from inference_worker.engine.weights.packaged import PackagedWeightsError


class Command(BaseCommand):
    """Needs neither database nor network; a checkpoint that is there already is left alone."""

    help = "Prepares the packaged chat model from its source in another precision, so that precisions can be compared."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--precision", choices=get_args(Precision), default="int4")
        parser.add_argument(
            "--out",
            type=Path,
            default=settings.CACHE_DIR,
            help="folder whose checkpoints/ gets it (default: %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the folder and how to serve it."""
        precision = parse_precision(options["precision"])
        try:
            with ProgressBar(console=Console(stderr=True)) as bar:
                task = bar.add_task("Chat model", total=1.0)
                folder = prepare_chat(
                    options["out"], precision, lambda step, done: bar.update(task, description=step, completed=done)
                )
        except PackagedWeightsError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(str(folder))
        self.stdout.write(f"Serve it beside the first model: GLASSDESK_EXTRA_MODELS={precision}={folder} make run")
