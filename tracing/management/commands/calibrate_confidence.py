"""`manage.py calibrate_confidence --labels FILE … [--tenant T] [--report FILE.md]`: fit, report, put in force."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from tracing.calibration import ConfidenceModel, NotEnoughLabels, fit
from tracing.calibration_report import write_report
from tracing.calibrations import adopt
from tracing.labels import BadLabels, read_labels
from tracing.plain import to_plain


class Command(BaseCommand):
    """Answers and labels come from `evaluate_answers --labels`; a report may be written without any tenant."""

    help = (
        "Learn from labelled answers how often answers with such evidence are right. --tenant puts the result in force "
        "for new answers, --report writes the calibration report with its reliability diagram."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--labels", type=Path, nargs="+", required=True, metavar="FILE")
        parser.add_argument("--tenant", nargs="+", default=[], metavar="SLUG", help="whose answers it is for")
        parser.add_argument("--report", type=Path, metavar="FILE.md", help="write the report and FILE.svg")
        parser.add_argument("--json", action="store_true", help="print the fitted calibration as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            answers = read_labels(options["labels"])
            model = fit(answers)
        except (BadLabels, NotEnoughLabels) as error:
            raise CommandError(str(error)) from error
        tenants = [self._tenant(slug) for slug in options["tenant"]]
        for tenant in tenants:
            with tenant_atomic(tenant.id):
                adopt(model)
        if options["report"]:
            write_report(options["report"], model, answers)
        if options["json"]:
            self.stdout.write(json.dumps(to_plain(model)))
        else:
            self.stdout.write("\n".join(summary(model, [tenant.slug for tenant in tenants])))

    @staticmethod
    def _tenant(slug: str) -> Tenant:
        try:
            return Tenant.objects.get(slug=slug)
        except Tenant.DoesNotExist:
            raise CommandError(f"There is no company with the slug {slug!r}.") from None


def summary(model: ConfidenceModel, slugs: list[str]) -> list[str]:
    """What a person wants to know, line by line."""
    lines = [
        f"answers                     {model.answers}, {model.right} of them right",
        f"expected calibration error  {model.expected_calibration_error:.3f} (out of fold)",
        f"Brier score                 {model.brier:.4f} (always guessing the base rate: {model.brier_of_base_rate:.4f})",
        f"AUROC                       {model.auroc:.3f}",
        f"version                     {model.version}",
    ]
    lines += [f"weight of {part.name:<17} {part.weight:.3f}" for part in model.weights]
    if model.left_out:
        lines.append(f"left out                    {', '.join(model.left_out)}")
    lines.append(f"in force for                {', '.join(slugs) or 'nobody: name companies with --tenant'}")
    return lines
