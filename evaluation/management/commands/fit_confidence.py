"""`manage.py fit_confidence FILE_OR_FOLDER …`: what a confidence means, learnt from help centres."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from evaluation.bands import BandQuality, band_qualities, best_band
from evaluation.figures import Judged
from evaluation.help_centre_files import PARTIAL
from evaluation.help_centres import read_help_centres
from evaluation.looking import load_models
from evaluation.management.commands.evaluate_help_centre import measure
from evaluation.options import add_shared, add_without
from evaluation.question_sets import BadQuestionSet
from tracing.calibration import ConfidenceModel, LabelledAnswer, NotEnoughLabels, fit
from tracing.calibration_report import write_report
from tracing.labels import append_labels
from tracing.plain import to_plain

HIGH_SHALL_BE_RIGHT = 0.95


class Command(BaseCommand):
    """Fits nothing that is in force: it prints constants, and a person puts them into the code."""

    help = (
        "Ask help centres their questions as evaluate_help_centre does, and learn from what was answered, right or wrong: a "
        "calibration (as calibrate_confidence fits it, without the engine's probabilities), and the limits of the band "
        "`high` that serve a company without labels of its own."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, nargs="+", metavar="FILE_OR_FOLDER")
        parser.add_argument(
            "--right",
            type=float,
            default=HIGH_SHALL_BE_RIGHT,
            metavar="SHARE",
            help="choose limits from which on so many answers with `high` are right; default %(default)s",
        )
        parser.add_argument("--labels", type=Path, metavar="FILE", help="append one JSON line an answer")
        parser.add_argument(
            "--report", type=Path, metavar="FILE.md", help="write the calibration's report and FILE.svg"
        )
        add_shared(parser)
        add_without(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            centres = read_help_centres(options["path"], limit=options["limit"])
            models = load_models(options["without"], vectors=options["vectors"])
            answers = list(labelled(list(measure(centres, models, without=options["without"]))))
            if options["labels"]:
                append_labels(options["labels"], answers)
            model = fit(answers)
        except (BadQuestionSet, NotEnoughLabels) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("Stopped; the throwaway tenant is removed.") from None
        qualities = band_qualities(answers)
        best = best_band(qualities, right=options["right"])
        if options["report"]:
            write_report(options["report"], model, answers)
        if options["json"]:
            result = {
                "calibration": to_plain(model),
                "bands": [asdict(each) for each in qualities],
                "best_band": asdict(best) if best else None,
            }
            self.stdout.write(json.dumps(result))
        else:
            self.stdout.write("\n".join(_lines(model, qualities, best, options["right"])))


def labelled(judged: Sequence[Judged]) -> Iterator[LabelledAnswer]:
    """The answers as a calibration learns from them. To an open question each answer is wrong; half answered ones say nothing."""
    for each in judged:
        if each.is_answered and each.open != PARTIAL and each.confidence is not None:
            yield LabelledAnswer(
                source=each.company,
                question=each.question,
                language=each.language,
                is_right=each.is_right,
                confidence=each.confidence,
            )


def _lines(
    model: ConfidenceModel, qualities: Sequence[BandQuality], best: BandQuality | None, right: float
) -> list[str]:
    lines = [
        f"answers                     {model.answers}, {model.right} of them right",
        f"expected calibration error  {model.expected_calibration_error:.3f} (out of fold)",
        f"AUROC                       {model.auroc:.3f}",
        f"intercept                   {model.intercept:.3f}",
    ]
    lines += [
        f"{part.name:<27} weight {part.weight:.3f}  mean {part.mean:.3f}  scale {part.scale:.3f}"
        for part in model.weights
    ]
    lines += ["", "high from   headroom  margin  answers  right"]
    lines += [f"{name:<11} {_row(each)}" for name, each in _named(qualities, best)]
    if best is None:
        lines.append(f"No limits make {right:.0%} of the answers with high confidence right.")
    return lines


def _named(qualities: Sequence[BandQuality], best: BandQuality | None) -> Iterator[tuple[str, BandQuality]]:
    for place, each in enumerate(qualities):
        yield "in force" if place == 0 else "", each
    if best is not None:
        yield "best", best


def _row(quality: BandQuality) -> str:
    right = "–" if quality.right is None else f"{quality.right:.3f}"
    return f"{quality.headroom:8.2f} {quality.margin:7.2f} {quality.answers:8} {right:>6}"
