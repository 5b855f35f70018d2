"""`manage.py evaluate_retrieval --squad FILE --language zh`: the product's import and search on a labelled set."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import Progress

from evaluation.looking import LocalDesk, Models, load_models
from evaluation.options import add_shared, add_squad
from evaluation.question_sets import (
    BadQuestionSet,
    Question,
    QuestionSet,
    import_paragraphs,
    read_squad,
    throwaway_tenant,
)
from evaluation.vectors import Remembering
from helpdesk.tenants.models import Language, Tenant
from inference_worker.answering.embedding import embed_version
from inference_worker.engine.contract import Embedder
from knowledge.search.retrieval import Candidate, search

DEPTH = 20

Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Labelled:
    """A question set with its language."""

    questions: QuestionSet
    language: str


class Command(BaseCommand):
    """Imports the paragraphs into a throwaway tenant and prints how high each question's paragraph stands."""

    help = (
        "Measure search on a SQuAD-layout file in a throwaway tenant (which is always removed): the place of each "
        "question's paragraph as the lists give it, and as the desk uses it (`used_…`: after its reranker, if it has one). "
        "--mixed FILE, the same paragraphs in the other language: both are imported, and each question is asked for the "
        "paragraph in the other language."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_squad(parser)
        parser.add_argument("--mixed", type=Path, metavar="FILE", help="the same file in the other language")
        add_shared(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        try:
            sets = _read(options)
            models = load_models(vectors=options["vectors"])
            figures = measure_mixed(sets, models) if len(sets) == 2 else measure(sets[0], models)
        except BadQuestionSet as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("Stopped; the throwaway tenant is removed.") from None
        report = figures | {
            "paragraphs": sum(len(each.questions.paragraphs) for each in sets),
            "questions": sum(len(each.questions.questions) for each in sets),
            "seconds": round(time.monotonic() - started, 1),
        }
        if options["json"]:
            self.stdout.write(json.dumps(report))
        else:
            self.stdout.write("\n".join(f"{name:<20} {value}" for name, value in report.items()))


def measure(labelled: Labelled, models: Models) -> dict[str, float]:
    """Ranks by the lists alone, to a depth of DEPTH, and as the desk uses what it found."""
    embedder = Remembering(models.embedder, questions=True)
    with throwaway_tenant() as tenant, _progress() as progress:
        _import(tenant, [labelled], embedder, progress)
        desk = LocalDesk(tenant, replace(models, embedder=embedder))
        asking = progress.add_task("Questions", total=len(labelled.questions.questions))
        listed: list[int | None] = []
        used: list[int | None] = []
        for question in labelled.questions.questions:
            place = (labelled.language, question.slug)
            listed.append(rank_of(place, _listed(tenant, question, labelled.language, embedder)))
            used.append(rank_of(place, _used(desk, question)))
            progress.advance(asking)
    return summarise(listed) | {f"used_{name}": value for name, value in summarise(used).items()}


def measure_mixed(sets: Sequence[Labelled], models: Models) -> dict[str, float]:
    """Ranks of the paragraph in the other language than the question's among all that the desk uses.

    The paragraph's twin in the question's own language answers as well, and is left out of the ranking.
    """
    embedder = Remembering(models.embedder, questions=True)
    figures: dict[str, float] = {}
    with throwaway_tenant() as tenant, _progress() as progress:
        _import(tenant, sets, embedder, progress)
        desk = LocalDesk(tenant, replace(models, embedder=embedder))
        everything: list[int | None] = []
        for asked, told in (sets, reversed(sets)):
            asking = progress.add_task(f"Questions, {asked.language}", total=len(asked.questions.questions))
            ranks: list[int | None] = []
            for question in asked.questions.questions:
                candidates = _used(desk, question)
                ranks.append(
                    rank_of((told.language, question.slug), candidates, besides=(asked.language, question.slug))
                )
                progress.advance(asking)
            everything += ranks
            figures |= {f"{asked.language}_{name}": value for name, value in summarise(ranks).items()}
    return summarise(everything) | figures


def rank_of(place: Place, candidates: Sequence[Candidate], *, besides: Place | None = None) -> int | None:
    """The place of that paragraph (language, slug) among the articles found, from 1; None when it is not among them."""
    found = list(dict.fromkeys((candidate.language, candidate.slug) for candidate in candidates))
    ranked = [each for each in found if each != besides]
    return ranked.index(place) + 1 if place in ranked else None


def summarise(ranks: Sequence[int | None]) -> dict[str, float]:
    """Recall at 1 and 5, and the mean reciprocal rank at 10."""
    found = [rank for rank in ranks if rank is not None]
    return {
        "recall_at_1": round(sum(rank == 1 for rank in found) / len(ranks), 4),
        "recall_at_5": round(sum(rank <= 5 for rank in found) / len(ranks), 4),
        "mrr_at_10": round(sum(1 / rank for rank in found if rank <= 10) / len(ranks), 4),
    }


def _read(options: dict[str, Any]) -> list[Labelled]:
    language, articles, limit = options["language"], options["articles"], options["limit"]
    sets = [Labelled(read_squad(options["squad"], language=language, limit=limit, articles=articles), language)]
    if options["mixed"]:
        other = Language.ENGLISH.value if language == Language.CHINESE else Language.CHINESE.value
        sets.append(Labelled(read_squad(options["mixed"], language=other, limit=limit, articles=articles), other))
        if [each.slug for each in sets[0].questions.paragraphs] != [each.slug for each in sets[1].questions.paragraphs]:
            raise BadQuestionSet("The two files do not have the same paragraphs: each needs a twin in the other file.")
    return sets


def _import(tenant: Tenant, sets: Sequence[Labelled], embedder: Embedder, progress: Progress) -> None:
    for each in sets:
        paragraphs = each.questions.paragraphs
        importing = progress.add_task(f"Paragraphs, {each.language}", total=len(paragraphs))
        for version_id in import_paragraphs(tenant.id, paragraphs, language=each.language, enqueue=False):
            embed_version(tenant.id, version_id, embedder)
            progress.advance(importing)


def _listed(tenant: Tenant, question: Question, language: str, embedder: Embedder) -> Sequence[Candidate]:
    vector = embedder.embed_query(question.text)
    found = search(tenant_id=tenant.id, query=question.text, query_vector=vector, language=language, limit=DEPTH)
    return found.candidates


def _used(desk: LocalDesk, question: Question) -> Sequence[Candidate]:
    found = desk.look(question.text).found
    return found.result.candidates if found else ()


def _progress() -> Progress:
    return Progress(console=Console(stderr=True))
