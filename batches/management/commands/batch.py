"""`manage.py batch TENANT FILE.jsonl`: submit a file of questions, follow its progress, and write the results."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from time import sleep
from typing import Any, TextIO
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from batches.domain import cancel_batch, submit_batch
from batches.errors import BatchInvalid
from batches.lines import read_jsonl
from batches.models import OPEN_STATES, Batch
from batches.queries import batch_by_id, ended_items, progress_of
from batches.shapes import result_shapes
from helpdesk.errors import GlassdeskError
from helpdesk.tenants.queries import tenant_by_slug
from helpdesk.tenants.scope import tenant_atomic

POLL_SECONDS = 0.5
RESULTS_AT_ONCE = 200


class Command(BaseCommand):
    """Submits, follows, and writes each result as it comes. Ctrl-C cancels the batch."""

    help = "Answer the questions of a JSONL file at low priority and write the results as JSONL."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", help="slug of the tenant")
        parser.add_argument("file", type=Path, help="one item per line, as docs/api.md describes them")
        parser.add_argument("--name", default="", help="what the batch is called")
        parser.add_argument("--out", type=Path, help="write the results to this file instead of the standard output")

    def handle(self, *args: Any, tenant: str, file: Path, name: str, out: Path | None, **options: Any) -> None:
        try:
            tenant_id = tenant_by_slug(tenant).id
            batch = submit_batch(tenant_id=tenant_id, submission=read_jsonl(_read(file), name=name))
        except BatchInvalid as error:
            raise CommandError(_sentences(error)) from None
        except GlassdeskError as error:
            raise CommandError(str(error.message)) from None
        self.stderr.write(f"batch {batch.id}: {batch.item_count} items")
        try:
            if out is None:
                self._follow(tenant_id, batch.id, self.stdout.write)
            else:
                with out.open("w", encoding="utf-8") as target:
                    self._follow(tenant_id, batch.id, _line_writer(target))
        except KeyboardInterrupt:
            cancel_batch(tenant_id=tenant_id, batch_id=batch.id)
            raise CommandError("Cancelled. Finished items are in the results.") from None

    def _follow(self, tenant_id: UUID, batch_id: UUID, write: Callable[[str], Any]) -> None:
        """Write every result once, in the order of the ends, until the batch has ended."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(file=sys.stderr)) as display:
            task = display.add_task("answering", total=None)
            after, is_open = 0, True
            while is_open:
                with tenant_atomic(tenant_id):
                    # Read before the results: what ends later is read in the next round.
                    batch = batch_by_id(batch_id)
                    is_open = batch.state in OPEN_STATES
                    after, results = _results_behind(batch, after)
                    ended = progress_of([batch])[batch.id].ended
                for result in results:
                    write(json.dumps(result, ensure_ascii=False))
                display.update(task, completed=ended, total=batch.item_count)
                if is_open and not results:
                    sleep(POLL_SECONDS)


def _read(file: Path) -> bytes:
    try:
        if file.stat().st_size > settings.BATCH_MAX_BYTES:
            raise CommandError(f"{file} has more than {settings.BATCH_MAX_BYTES} bytes. Send it in parts.")
        return file.read_bytes()
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from None


def _results_behind(batch: Batch, after: int) -> tuple[int, list[dict[str, Any]]]:
    found: list[dict[str, Any]] = []
    while items := ended_items(batch, after=after, limit=RESULTS_AT_ONCE):
        found += [shape.as_json() for shape in result_shapes(items)]
        after = int(items[-1].finish_number or 0)
    return after, found


def _line_writer(target: TextIO) -> Callable[[str], Any]:
    return lambda line: target.write(f"{line}\n")


def _sentences(error: BatchInvalid) -> str:
    listed = [f"  line {each.line}: {each.message}" for each in error.line_errors]
    return "\n".join([str(error.message), *listed])
