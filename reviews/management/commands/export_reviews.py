"""`manage.py export_reviews COMPANY --as LAYOUT [--out FILE]`: what reviews came to, for training and measuring."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from helpdesk.errors import GlassdeskError
from helpdesk.tenants.queries import tenant_by_slug
from helpdesk.tenants.scope import tenant_atomic
from reviews.exporting import export_examples, labelled_answers
from reviews.layouts import Layout
from tracing.labels import append_labels

LABELS = "labels"


class Command(BaseCommand):
    """Labels open the traces, which needs a reason and is logged; the others are made of what stands in the transcripts."""

    help = (
        "Write settled reviews, without personal data as far as it can be recognised: `preference` and `supervised` (JSON "
        "lines that TRL reads), `questions` (for evaluate_help_centre) or `labels` (for calibrate_confidence)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("company", help="its slug")
        parser.add_argument("--as", dest="layout", choices=[*Layout, LABELS], default=Layout.PREFERENCE)
        parser.add_argument(
            "--out", type=Path, metavar="FILE", help="standard output without it; labels are added to it"
        )
        parser.add_argument("--reason", default="", help="why traces are opened: labels need one")

    def handle(self, *args: Any, company: str, layout: str, out: Path | None, reason: str, **options: Any) -> None:
        try:
            tenant = tenant_by_slug(company)
            with tenant_atomic(tenant.id):
                if layout == LABELS:
                    self._labels(out, reason)
                    return
                exported = export_examples(Layout(layout))
        except GlassdeskError as error:
            raise CommandError(str(error.message)) from None
        if out is None:
            self.stdout.write(exported.text, ending="")
            return
        try:
            with open(out, "w", encoding="utf-8", opener=_private) as file:
                file.write(exported.text)
        except OSError as error:
            raise CommandError(f"{out} cannot be written: {error.strerror}.") from None
        self.stderr.write(f"{exported.count} written to {out}.")

    def _labels(self, out: Path | None, reason: str) -> None:
        if out is None:
            raise CommandError("Labels are added to a file: name it with --out.")
        answers = list(labelled_answers(reason=reason))
        try:
            append_labels(out, answers)
        except OSError as error:
            raise CommandError(f"{out} cannot be written: {error.strerror}.") from None
        self.stderr.write(f"{len(answers)} labelled answers added to {out}.")


def _private(path: str, flags: int) -> int:
    """Readable for their owner alone."""
    return os.open(path, flags, 0o600)
