"""`manage.py calibrate_cache TENANT --questions FILE`: how alike two questions must be to share an answer."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from django.core.management.base import BaseCommand, CommandError

from evaluation.question_sets import BadQuestionSet, read_squad
from helpdesk.errors import NotFound
from helpdesk.tenants.models import Language
from helpdesk.tenants.queries import tenant_by_slug
from helpdesk.tenants.scope import tenant_atomic
from inference_worker.engine.contract import Embedder
from inference_worker.loading import load_embedder
from knowledge.cached_answers.calibration import (
    MIN_PAIRS,
    MIN_QUESTIONS,
    THRESHOLDS,
    QuestionPair,
    SharingQuality,
    choose_similarity,
    sharing_quality,
)
from knowledge.cached_answers.same_question import normalised
from knowledge.cached_answers.sharing import words_agree
from knowledge.state import current_state, set_similarity


@dataclass(frozen=True, slots=True)
class GroupedQuestion:
    """A question and what tells its answer from others'."""

    text: str
    answer: str


class Command(BaseCommand):
    """Prints what each threshold does and stores the one that misleads few enough; where none does, similar is off."""

    help = (
        "Set how alike two questions must be to share an answer. FILE holds {groups: [{language, questions}]}: the "
        "questions of a group have the same answer, those of two groups never. --squad only measures: a question of "
        "another paragraph, or with another answer, is a different one."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", nargs="?", help="slug of the tenant to set it for")
        parser.add_argument("--questions", type=Path, metavar="FILE")
        parser.add_argument("--squad", type=Path, metavar="FILE", help="a set in SQuAD layout; needs no tenant")
        parser.add_argument("--language", choices=Language.values, default="en", help="of the SQuAD set")
        parser.add_argument("--limit", type=int, default=0, help="so many questions of the SQuAD set")
        parser.add_argument("--dry-run", action="store_true", help="only print what would be set")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["squad"]:
            self._measure_squad(options)
            return
        if not options["tenant"] or not options["questions"]:
            raise CommandError("Name a tenant and --questions FILE, or --squad FILE.")
        try:
            tenant = tenant_by_slug(options["tenant"])
        except NotFound as error:
            raise CommandError(f"There is no tenant {options['tenant']!r}.") from error
        asked = read_groups(options["questions"])
        embedder = load_embedder()
        chosen: dict[str, float | None] = {}
        for language, questions in asked.items():
            pairs = measure(questions, embedder, language=language)
            self._report(language, questions, pairs)
            if len(questions) < MIN_QUESTIONS or sum(pair.is_same for pair in pairs) < MIN_PAIRS:
                self.stdout.write(f"  too few: {MIN_QUESTIONS} questions and {MIN_PAIRS} pairs are needed")
                continue
            best = choose_similarity(pairs, questions=len(questions))
            chosen[language] = best.threshold if best else None
            self.stdout.write(f"  chosen: {best.threshold if best else 'similar questions share nothing'}")
        if not chosen:
            raise CommandError("Too few questions to choose from; nothing was changed.")
        if not options["dry_run"]:
            store(tenant.id, embedder, chosen)

    def _measure_squad(self, options: dict[str, Any]) -> None:
        try:
            questions = read_squad(options["squad"], language=options["language"], limit=options["limit"])
        except BadQuestionSet as error:
            raise CommandError(str(error)) from error
        asked = [GroupedQuestion(each.text, f"{each.slug} {sorted(each.answers)}") for each in questions.questions]
        self._report(options["language"], asked, measure(asked, load_embedder(), language=options["language"]))

    def _report(self, language: str, questions: Sequence[GroupedQuestion], pairs: Sequence[QuestionPair]) -> None:
        same = sum(pair.is_same for pair in pairs)
        self.stdout.write(f"{language}: {len(questions)} questions, {same} pairs with the same answer")
        self.stdout.write("             by vectors alone               with words compared")
        self.stdout.write("  cosine     precision  recall  misled      precision  recall  misled")
        for threshold in THRESHOLDS:
            alone, both = (
                sharing_quality(threshold, pairs, questions=len(questions), by_words=by_words)
                for by_words in (False, True)
            )
            self.stdout.write(f"  {threshold:.3f}      {_figures(alone)}     {_figures(both)}")


def read_groups(path: Path) -> dict[str, list[GroupedQuestion]]:
    """The questions of a file by language. Raises CommandError."""
    found: dict[str, list[GroupedQuestion]] = {}
    try:
        for number, group in enumerate(json.loads(path.read_text(encoding="utf-8"))["groups"]):
            language = Language(group["language"]).value
            found.setdefault(language, []).extend(
                GroupedQuestion(str(text), str(number)) for text in group["questions"]
            )
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CommandError(f"{path} does not hold groups of questions: {error!r}") from error
    return found


def measure(questions: Sequence[GroupedQuestion], embedder: Embedder, *, language: str) -> list[QuestionPair]:
    """Every pair of different questions that is close, or that has the same answer."""
    vectors = np.array([embedder.embed_query(question.text) for question in questions], np.float32)
    cosines = vectors @ vectors.T
    pairs = []
    for first, second in combinations(range(len(questions)), 2):
        one, other = questions[first], questions[second]
        is_same, cosine = one.answer == other.answer, float(cosines[first, second])
        if normalised(one.text) == normalised(other.text) or (cosine < THRESHOLDS[0] and not is_same):
            continue
        agree = cosine >= THRESHOLDS[0] and words_agree(one.text, other.text, language=language)
        pairs.append(QuestionPair(first, second, cosine, agree, is_same))
    return pairs


def store(tenant_id: UUID, embedder: Embedder, chosen: dict[str, float | None]) -> None:
    """Keep the thresholds for this embedding model, beside those of a language that was not measured."""
    model = embedder.info().get("model", "")
    with tenant_atomic(tenant_id):
        before = current_state().similarity
        kept = before if before.get("model") == model else {}
        set_similarity({**kept, "model": model, **chosen})


def _figures(quality: SharingQuality) -> str:
    return f"{_share(quality.precision)}  {_share(quality.recall)} {quality.false_hits:7.3f}"


def _share(value: float | None) -> str:
    return "   –   " if value is None else f"{value:7.3f}"
