"""`manage.py evaluate_retrieval --squad FILE --language zh`: the product's import and search on a labelled set."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import Progress

from evaluation.question_sets import (
    BadQuestionSet,
    Question,
    QuestionSet,
    import_paragraphs,
    read_squad,
    throwaway_tenant,
)
from helpdesk.tenants.models import Language
from inference_worker.answering.embedding import embed_version
from inference_worker.engine.contract import Embedder
from inference_worker.loading import load_embedder
from knowledge.search.retrieval import search

DEPTH = 20


class Command(BaseCommand):
    """Imports the paragraphs into a throwaway tenant and prints how high each question's paragraph stands."""

    help = "Measure search on a SQuAD-layout file in a throwaway tenant (which is always removed)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--squad", type=Path, required=True, metavar="FILE")
        parser.add_argument("--language", choices=Language.values, required=True)
        parser.add_argument("--limit", type=int, default=0, metavar="N", help="ask only N questions, spread evenly")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        try:
            questions = read_squad(options["squad"], language=options["language"], limit=options["limit"])
            ranks = self._measure(questions, options["language"])
        except BadQuestionSet as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("Stopped; the throwaway tenant is removed.") from None
        report = summarise(ranks) | {
            "paragraphs": len(questions.paragraphs),
            "questions": len(questions.questions),
            "seconds": round(time.monotonic() - started, 1),
        }
        if options["json"]:
            self.stdout.write(json.dumps(report))
        else:
            self.stdout.write("\n".join(f"{name:<14} {value}" for name, value in report.items()))

    def _measure(self, questions: QuestionSet, language: str) -> list[int | None]:
        embedder = load_embedder()
        with throwaway_tenant() as tenant, Progress(console=Console(stderr=True)) as progress:
            versions = import_paragraphs(tenant.id, questions.paragraphs, language=language, enqueue=False)
            importing = progress.add_task("Paragraphs", total=len(questions.paragraphs))
            for version_id in versions:
                embed_version(tenant.id, version_id, embedder)
                progress.advance(importing)
            asking = progress.add_task("Questions", total=len(questions.questions))
            ranks: list[int | None] = []
            for question in questions.questions:
                ranks.append(rank_of(tenant.id, question, language, embedder))
                progress.advance(asking)
        return ranks


def rank_of(tenant_id: UUID, question: Question, language: str, embedder: Embedder) -> int | None:
    """The place of the right paragraph among the articles found, from 1; None when it is not among them."""
    result = search(
        tenant_id=tenant_id,
        query=question.text,
        query_vector=embedder.embed_query(question.text),
        language=language,
        limit=DEPTH,
    )
    found = list(dict.fromkeys(candidate.slug for candidate in result.candidates))
    return found.index(question.slug) + 1 if question.slug in found else None


def summarise(ranks: Sequence[int | None]) -> dict[str, float]:
    """Recall at 1 and 5, and the mean reciprocal rank at 10."""
    found = [rank for rank in ranks if rank is not None]
    return {
        "recall_at_1": round(sum(rank == 1 for rank in found) / len(ranks), 4),
        "recall_at_5": round(sum(rank <= 5 for rank in found) / len(ranks), 4),
        "mrr_at_10": round(sum(1 / rank for rank in found if rank <= 10) / len(ranks), 4),
    }
