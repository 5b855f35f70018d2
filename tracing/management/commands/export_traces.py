"""`manage.py export_traces TENANT --format jsonl|csv|html|otlp`: take traces out, to files or to an OTLP receiver."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterable
from dataclasses import fields
from datetime import date
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from conversations.models import AnswerKind, CacheKind, Outcome, Rating, ReplyPurpose
from helpdesk.errors import GlassdeskError
from helpdesk.tenants.models import Language
from tracing.export.readers import ShellReader
from tracing.export.rows import ExportedTrace, count_traces, exported_traces
from tracing.management.targets import FORMATS, Target, open_target
from tracing.management.tenants import named_tenant
from tracing.models import ConfidenceBand
from tracing.queries import ANY_PURPOSE, NO_FEEDBACK, TraceFilter


class Command(BaseCommand):
    """Exports the traces of one tenant, the newest first; contents only with --content and a reason."""

    help = "Export a tenant's traces. With --content each one is logged as a read, with the reason."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", help="the tenant's slug")
        parser.add_argument("--format", choices=FORMATS, required=True)
        parser.add_argument("--since", type=date.fromisoformat, help="from this day on, such as 2026-05-01 (UTC)")
        parser.add_argument("--until", type=date.fromisoformat, help="up to and with this day")
        parser.add_argument("--purpose", choices=[*ReplyPurpose.values, ANY_PURPOSE], default=ReplyPurpose.ANSWER.value)
        parser.add_argument("--outcome", choices=Outcome.values, default="")
        parser.add_argument("--band", choices=ConfidenceBand.values, default="")
        parser.add_argument("--language", choices=Language.values, default="")
        parser.add_argument("--kind", choices=AnswerKind.values, default="")
        parser.add_argument("--feedback", choices=[*Rating.values, NO_FEEDBACK], default="")
        parser.add_argument("--model", default="", help="only answers of this model")
        parser.add_argument("--cache", choices=CacheKind.values, default="", help="only cached answers")
        parser.add_argument("--reply", type=UUID, help="only the trace of this reply")
        parser.add_argument("--content", action="store_true", help="open the contents, which needs a reason")
        parser.add_argument("--reason", default="", help="why; kept in the chain with each opened trace")
        parser.add_argument("--out", help="file, or folder for html; standard output for jsonl and csv without it")
        parser.add_argument("--endpoint", help="otlp: the receiver's address, such as http://127.0.0.1:4318")

    def handle(self, *args: Any, tenant: str, **options: Any) -> None:
        found = named_tenant(tenant)
        reader = self._reader(options)
        wanted = TraceFilter(**{each.name: options[each.name] for each in fields(TraceFilter)})
        with open_target(options, tenant=found, stdout=self.stdout) as target:
            rows = exported_traces(found.id, wanted, reader=reader, reply_id=options["reply"])
            total = count_traces(found.id, wanted, reply_id=options["reply"])
            written, unread = _write(rows, total, target, bar_name=found.slug)
        self.stderr.write(f"{found.slug}: {written} traces exported to {target.name}")
        if unread:
            self.stderr.write(f"{unread} of them could not be opened; their entries say why")

    def _reader(self, options: dict[str, Any]) -> ShellReader:
        """Refuses combinations that would leave out what was asked for, or open what was not."""
        if options["format"] == "csv" and options["content"]:
            raise CommandError("csv holds metrics only; take jsonl, html or otlp for the content.")
        if options["format"] == "html" and not options["content"]:
            raise CommandError("html shows the content: add --content and --reason.")
        if not options["content"]:
            return ShellReader()
        if not options["reason"].strip():
            raise CommandError("--content needs --reason: say what the content is needed for.")
        try:
            return ShellReader(options["reason"])
        except GlassdeskError as error:
            raise CommandError(str(error.message)) from None


def _write(rows: Iterable[ExportedTrace], total: int, target: Target, *, bar_name: str) -> tuple[int, int]:
    """How many were written, and how many of them could not be opened."""
    written = unread = 0
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(bar_name, total=total)
        for exported in rows:
            target.write(exported)
            written, unread = written + 1, unread + (exported.trouble is not None)
            bar.update(task, completed=written)
    return written, unread
