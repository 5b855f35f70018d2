"""`manage.py evaluate_answers --squad FILE --language en`: whole answers of the running worker to a labelled set."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

import redis
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from conversations.models import Outcome
from evaluation.asking import Result, TenantQuestion, WorkerMissing, answers_to, check_worker, passages_embedded
from evaluation.question_sets import (
    BadQuestionSet,
    QuestionSet,
    import_paragraphs,
    read_squad,
    throwaway_tenant,
)
from helpdesk.tenants.models import Language
from tracing.calibration import LabelledAnswer
from tracing.labels import append_labels


class Command(BaseCommand):
    """Each question comes from a new visitor and takes the way of every customer's: row, queue, worker, trace."""

    help = (
        "Measure whole answers on a SQuAD-layout file: import into a throwaway tenant (which is always removed), ask "
        "through the real queue, judge the answers. Needs the running desk."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--squad", type=Path, required=True, metavar="FILE")
        parser.add_argument("--language", choices=Language.values, required=True)
        parser.add_argument("--limit", type=int, default=0, metavar="N", help="ask only N questions, spread evenly")
        parser.add_argument(
            "--unanswerable",
            action="store_true",
            help="ask each question against the other half of the articles, where a refusal is right",
        )
        parser.add_argument(
            "--labels", type=Path, metavar="FILE", help="append one JSON line an answer: its confidence, right or wrong"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            questions = read_squad(options["squad"], language=options["language"], limit=options["limit"])
            check_worker()
            results = self._measure(questions, options["language"], unanswerable=options["unanswerable"])
        except (BadQuestionSet, WorkerMissing) as error:
            raise CommandError(str(error)) from error
        except redis.RedisError as error:
            raise CommandError(f"Valkey cannot be reached, so there is no queue to ask through: {error}") from error
        except KeyboardInterrupt:
            raise CommandError("Stopped; the throwaway tenant is removed.") from None
        if options["labels"]:
            source = options["squad"].name
            append_labels(options["labels"], labelled(results, source=source, unanswerable=options["unanswerable"]))
        report = summarise(results)
        if options["json"]:
            self.stdout.write(json.dumps(report))
        else:
            self.stdout.write("\n".join(f"{name:<14} {value}" for name, value in report.items()))

    def _measure(self, questions: QuestionSet, language: str, *, unanswerable: bool) -> list[Result]:
        if not unanswerable:
            parts = [(questions, questions)]
        else:
            halves = questions.half(0), questions.half(1)
            if not all(half.paragraphs for half in halves):
                raise BadQuestionSet("The file has a single article, so there is no other half to ask.")
            parts = [(halves[0], halves[1]), (halves[1], halves[0])]
        with ExitStack() as stack:
            progress = stack.enter_context(_progress())
            asked: list[TenantQuestion] = []
            tenants = []
            importing = progress.add_task("Paragraphs", total=len(questions.paragraphs))
            for known, asked_about in parts:
                tenant = stack.enter_context(throwaway_tenant())
                tenants.append(tenant.id)
                for _ in import_paragraphs(tenant.id, known.paragraphs, language=language, enqueue=True):
                    progress.advance(importing)
                asked += [TenantQuestion(tenant.id, question, language) for question in asked_about.questions]
            embedding = progress.add_task("Passages embedded", total=None)
            for embedded, passages in passages_embedded(tenants):
                progress.update(embedding, completed=embedded, total=passages)
            answering = progress.add_task("Questions", total=len(asked))
            results = []
            for result in answers_to(asked):
                results.append(result)
                progress.advance(answering)
        return results


def summarise(results: Sequence[Result]) -> dict[str, float | None]:
    """Counts, the share of answers that contain a gold answer, and the median seconds from question to answer."""
    answered = [result for result in results if result.outcome == Outcome.ANSWERED]
    refused = [result for result in results if result.outcome == Outcome.REFUSED]
    seconds = [result.seconds for result in (*answered, *refused) if result.seconds is not None]
    return {
        "questions": len(results),
        "answered": len(answered),
        "refused": len(refused),
        "failed": len(results) - len(answered) - len(refused),
        "contains_gold": _share(sum(result.contains_gold for result in answered), len(answered)),
        "refused_share": _share(len(refused), len(results)),
        "seconds_p50": round(median(seconds), 2) if seconds else None,
    }


def labelled(results: Sequence[Result], *, source: str, unanswerable: bool) -> Iterator[LabelledAnswer]:
    """The answers as `calibrate_confidence` learns from them; refusals and failures are no answers."""
    for result in results:
        if result.outcome == Outcome.ANSWERED and result.confidence is not None:
            yield LabelledAnswer(
                source=source,
                question=result.question,
                language=result.language,
                is_right=result.contains_gold and not unanswerable,
                confidence=result.confidence,
            )


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True))
