"""`manage.py evaluate_gate --squad FILE --language en`: does the desk notice that a text on the subject does not answer?"""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import Progress

from evaluation.looking import LocalDesk, Models, load_models
from evaluation.options import add_shared, add_squad, add_without
from evaluation.question_sets import (
    BadQuestionSet,
    Paragraph,
    Question,
    QuestionSet,
    contains_answer,
    import_paragraphs,
    read_squad,
    throwaway_tenant,
)
from evaluation.removing import without_answers
from evaluation.vectors import Remembering
from helpdesk.errors import GlassdeskError
from helpdesk.tenants.scope import tenant_atomic
from inference_worker.answering.embedding import embed_version
from inference_worker.engine.contract import Embedder
from knowledge.domain import archive_article, restore_article
from knowledge.models import ArticleVersion
from knowledge.quoting.calibration import GateQuality, gate_quality


@dataclass(frozen=True, slots=True)
class Asked:
    """What the desk did with one question: where the article answers it, and where that was taken out.

    Scores are the gate's, 0 where something else declined. `right`: what would be quoted contains an accepted answer.
    """

    is_answered: bool
    score: float
    right: bool = False


class Command(BaseCommand):
    """Each article is a collection of its own: the question is asked of it as it is, and without what answers it."""

    help = (
        "Ask each question of a SQuAD-layout file of its own article, once as it is and once without every sentence that "
        "contains an accepted answer: balanced accuracy of answering and declining, as the desk is set and with the best "
        "threshold. Questions without an accepted answer (SQuAD 2) are asked of their article as it is, and are to be declined."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_squad(parser)
        add_shared(parser)
        add_without(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        started, without = time.monotonic(), options["without"]
        try:
            questions = read_squad(
                options["squad"], language=options["language"], limit=options["limit"], articles=options["articles"]
            )
            models = load_models(without, vectors=options["vectors"])
            answerable, open_ones = measure(questions, options["language"], models, without=without)
        except BadQuestionSet as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("Stopped; the throwaway tenant is removed.") from None
        report = summarise(answerable, open_ones) | {"seconds": round(time.monotonic() - started, 1)}
        if options["json"]:
            self.stdout.write(json.dumps(report))
        else:
            self.stdout.write("\n".join(f"{name:<24} {value}" for name, value in report.items()))


def measure(
    questions: QuestionSet, language: str, models: Models, *, without: Collection[str] = ()
) -> tuple[list[Asked], list[Asked]]:
    """What became of the questions whose article answers them, and of those whose article does not."""
    answerable: list[Asked] = []
    open_ones: list[Asked] = []
    with Progress(console=Console(stderr=True)) as progress:
        asking = progress.add_task("Questions", total=len(questions.questions))
        for article in sorted({question.article for question in questions.questions}):
            of_article = questions.between(slice(article, article + 1))
            for is_open, asked in _ask(of_article, language, models, without):
                (open_ones if is_open else answerable).append(asked)
                progress.update(asking, completed=max(len(answerable), len(open_ones)))
    return answerable, open_ones


def _ask(article: QuestionSet, language: str, models: Models, without: Collection[str]) -> Iterator[tuple[bool, Asked]]:
    embedder = Remembering(models.embedder, questions=True)
    with throwaway_tenant() as tenant:
        collection = _Collection(tenant.id, article.paragraphs, language, embedder)
        desk = LocalDesk(tenant, replace(models, embedder=embedder), without=without)
        by_answers: dict[tuple[str, ...], list[Question]] = defaultdict(list)
        for question in article.questions:
            yield not question.answers, _asked(desk, question)
            if question.answers:
                by_answers[question.answers].append(question)
        for answers, asking in by_answers.items():
            collection.take_out(answers)
            yield from ((True, _asked(desk, question)) for question in asking)
            collection.put_back()


def _asked(desk: LocalDesk, question: Question) -> Asked:
    look = desk.look(question.text)
    return Asked(look.is_answered, look.score, contains_answer("\n".join(look.quoted), question.answers))


class _Collection:
    """The paragraphs of one article as the tenant's articles, of which sentences are taken out and put back."""

    def __init__(self, tenant_id: UUID, paragraphs: Sequence[Paragraph], language: str, embedder: Embedder) -> None:
        self._tenant_id, self._language, self._embedder = tenant_id, language, embedder
        self._paragraphs = {self._publish(paragraph): paragraph for paragraph in paragraphs}
        self._changed: list[Paragraph] = []
        self._archived: list[UUID] = []

    def take_out(self, answers: Sequence[str]) -> None:
        """Publish the paragraphs without each sentence that contains one of the answers; one that is empty then is archived."""
        for article_id, paragraph in self._paragraphs.items():
            left = without_answers(paragraph.text, answers)
            if left == without_answers(paragraph.text, ()):
                continue
            try:
                self._publish(replace(paragraph, text=left))
                self._changed.append(paragraph)
            except GlassdeskError:  # nothing is left, or nothing that could be quoted
                archive_article(tenant_id=self._tenant_id, article_id=article_id)
                self._archived.append(article_id)

    def put_back(self) -> None:
        """Publish the paragraphs as they were."""
        for article_id in self._archived:
            restore_article(tenant_id=self._tenant_id, article_id=article_id)
            self._changed.append(self._paragraphs[article_id])
        for paragraph in self._changed:
            self._publish(paragraph)
        self._archived, self._changed = [], []

    def _publish(self, paragraph: Paragraph) -> UUID:
        """The article's id; another text of the same paragraph is a new version of it."""
        (version_id,) = import_paragraphs(self._tenant_id, [paragraph], language=self._language, enqueue=False)
        embed_version(self._tenant_id, version_id, self._embedder)
        with tenant_atomic(self._tenant_id):
            article_id: UUID = ArticleVersion.objects.values_list("article_id", flat=True).get(pk=version_id)
        return article_id


def summarise(answerable: Sequence[Asked], open_ones: Sequence[Asked]) -> dict[str, float | int | None]:
    """Shares answered and declined, and their mean: as the desk is set, and with the threshold that makes most of the scores."""
    declined = _share(sum(not each.is_answered for each in open_ones), len(open_ones))
    false_refusals = _share(sum(not each.is_answered for each in answerable), len(answerable))
    best = best_threshold([each.score for each in answerable], [each.score for each in open_ones])
    answered = [each for each in answerable if each.is_answered]
    return {
        "answerable": len(answerable),
        "not_answered_by_article": len(open_ones),
        "answerable_declined": false_refusals,
        "open_declined": declined,
        "balanced_accuracy": None
        if declined is None or false_refusals is None
        else round((1 - false_refusals + declined) / 2, 4),
        "best_balanced_accuracy": round(best.balanced_accuracy, 4) if best else None,
        "best_threshold": round(best.threshold, 4) if best else None,
        "best_answerable_declined": round(best.false_refusals, 4) if best else None,
        "best_open_declined": round(best.refused, 4) if best else None,
        "quotes_contain_answer": _share(sum(each.right for each in answered), len(answered)),
    }


def best_threshold(answerable: Sequence[float], unanswerable: Sequence[float]) -> GateQuality | None:
    """The threshold with the best balanced accuracy, whatever it declines; None without scores of either kind."""
    if not answerable or not unanswerable:
        return None
    scores = sorted({*answerable, *unanswerable})
    between = [(low + high) / 2 for low, high in pairwise(scores)]
    qualities = [gate_quality(threshold, answerable, unanswerable) for threshold in [0.0, *between, 1.0]]
    return max(qualities, key=lambda quality: (quality.balanced_accuracy, -quality.threshold))


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
