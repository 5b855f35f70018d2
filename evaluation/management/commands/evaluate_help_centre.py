"""`manage.py evaluate_help_centre FILE_OR_FOLDER …`: right answers and honest refusals on help centres with their questions."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import Progress

from evaluation.figures import Judged, stage_times, summarise
from evaluation.help_centre_files import ATTACK, PARTIAL
from evaluation.help_centres import HelpCentre, read_help_centres
from evaluation.looking import Models, load_models
from evaluation.measuring import import_centre, judged_questions, tenant_of
from evaluation.options import add_shared, add_without
from evaluation.question_sets import BadQuestionSet

# What people read; the rest stands in --json.
ROWS = {
    "answerable": "answerable questions",
    "first": "right article first",
    "among_five": "right article among five",
    "sentence_quoted": "right sentence quoted, of the answered",
    "declined": "answerable, yet declined",
    "answered_right": "answered right, of all answerable",
    "asked_back": "asked back which is meant, of all answerable",
    "open": "questions that the articles leave open",
    "open_declined": "  declined",
    "open_asked_back": "  asked back which is meant",
    "attacks_declined": "  of them attacks: declined",
    "across": "answered in the other language only",
    "across_among_five": "  right article among five of its language",
    "across_declined": "  declined",
    "across_answered_right": "  answered right",
    "high": "answers with high confidence",
    "high_right": "  of them right",
    "ece": "calibration error of the probability",
}


class Command(BaseCommand):
    """Each help centre is imported into a throwaway tenant of its own, which is always removed."""

    help = (
        "Ask help centres their customers' questions, through the product's own import, search, selection and gate in this "
        "process (no engine, no running worker): right article, right sentence, refusals by kind of question, times."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, nargs="+", metavar="FILE_OR_FOLDER")
        parser.add_argument(
            "--details", type=Path, metavar="FILE", help="also write what became of each question, one JSON a line"
        )
        add_shared(parser)
        add_without(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            centres = read_help_centres(options["path"], limit=options["limit"])
            models = load_models(options["without"], vectors=options["vectors"])
            judged = list(measure(centres, models, without=options["without"]))
        except BadQuestionSet as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("Stopped; the throwaway tenant is removed.") from None
        if options["details"]:
            write_details(options["details"], judged)
        result = report(judged, without=options["without"])
        self.stdout.write(json.dumps(result, ensure_ascii=False) if options["json"] else "\n".join(table(result)))


def measure(centres: Sequence[HelpCentre], models: Models, *, without: Collection[str] = ()) -> Iterator[Judged]:
    """All questions of the help centres, one centre after the other; shows how far it is on standard error."""
    with Progress(console=Console(stderr=True)) as progress:
        for centre in centres:
            importing = progress.add_task(f"{centre.company}: articles", total=len(centre.articles))
            asking = progress.add_task(f"{centre.company}: questions", total=len(centre.questions))
            with tenant_of(centre) as tenant:
                articles = {}
                for path, article_id in import_centre(tenant, centre, models.embedder):
                    articles[path] = article_id
                    progress.advance(importing)
                for judged in judged_questions(tenant, centre, articles, models, without=without):
                    progress.advance(asking)
                    yield judged


def report(judged: Sequence[Judged], *, without: Collection[str] = ()) -> dict[str, Any]:
    """Figures of each help centre by the language of the questions ("all" for both), of all centres, and times."""
    companies = list(dict.fromkeys(each.company for each in judged))
    groups = {company: [each for each in judged if each.company == company] for company in companies}
    return {
        "without": list(without),
        "centres": {company: _by_language(of_company) for company, of_company in groups.items()},
        "all": _by_language(judged),
        "milliseconds": stage_times(judged),
    }


def table(result: dict[str, Any]) -> list[str]:
    """The report for people."""
    lines = [f"without {', '.join(result['without'])}"] if result["without"] else []
    centres = result["centres"] if len(result["centres"]) == 1 else {**result["centres"], "All": result["all"]}
    for company, languages in centres.items():
        lines += ["", f"{company:<44}" + "".join(f"{language:>8}" for language in languages)]
        lines += [
            f"{title:<44}" + "".join(f"{_shown(figures[name]):>8}" for figures in languages.values())
            for name, title in ROWS.items()
        ]
        lines += ["open questions by kind: declined of asked"]
        lines += [
            f"  {kind:<20} {declined} of {asked}"
            for kind, (declined, asked) in languages["all"]["open_declined_by_kind"].items()
        ]
    lines += ["", f"{'milliseconds':<14}{'median':>10}{'p95':>10}"]
    lines += [f"{stage:<14}{times['p50']:>10}{times['p95']:>10}" for stage, times in result["milliseconds"].items()]
    return lines


def write_details(path: Path, judged: Sequence[Judged]) -> None:
    """One JSON object a line."""
    with path.open("w", encoding="utf-8") as file:
        for each in judged:
            row = {
                "company": each.company,
                "question": each.question,
                "language": each.language,
                "open": each.open,
                "across": each.across,
                "answered": each.is_answered,
                "asks_back": each.asks_back,
                "right": each.is_right,
                "quotes_answer": each.quotes_answer,
                "quotes_near": each.quotes_near,
                "article_rank": each.article_rank,
                "score": round(each.score, 4),
                "band": each.confidence.band if each.confidence else "",
            }
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _by_language(judged: Sequence[Judged]) -> dict[str, Any]:
    languages = sorted({each.language for each in judged})
    groups = {language: [each for each in judged if each.language == language] for language in languages}
    return {name: summarise(group, attack=ATTACK, partial=PARTIAL) for name, group in {**groups, "all": judged}.items()}


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
