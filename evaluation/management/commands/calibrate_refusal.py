"""`manage.py calibrate_refusal TENANT`: set where the tenant's assistant declines, from the tenant's own questions."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from conversations.models import Assistant
from conversations.queries import default_assistant
from helpdesk.errors import NotFound
from helpdesk.tenants.queries import tenant_by_slug
from helpdesk.tenants.scope import tenant_atomic
from inference_worker.answering.reranking import rerank_unhurried
from inference_worker.engine.contract import Embedder, Reranker
from inference_worker.loading import load_embedder, load_reranker
from knowledge import queries
from knowledge.quoting.answerability import DEFAULT_THRESHOLD, Kind, threshold_for
from knowledge.quoting.calibration import GateQuality, choose_threshold, gate_quality
from knowledge.quoting.selection import gate_scores
from knowledge.search.retrieval import RetrievalResult, search
from knowledge.text import detect_language

SEARCH_LIMIT = 20
Scores = dict[Kind, list[float]]


@dataclass(frozen=True, slots=True)
class Sample:
    """A question, whether the articles answer it, and the article to hide from its search, if any."""

    text: str
    language: str
    answer_language: str = ""
    is_answerable: bool = True
    hidden: UUID | None = None


class Command(BaseCommand):
    """Prints false refusals and refusals before and after, for each kind of evidence with enough questions."""

    help = (
        "Set the refusal threshold of a tenant's assistant. FILE holds {answerable: [{question, language, article}], "
        "unanswerable: [{question, language}]}; without it the articles' own titles and headings are asked, once with "
        "their article and once with it hidden."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", help="slug of the tenant")
        parser.add_argument("--questions", type=Path, metavar="FILE")
        parser.add_argument("--dry-run", action="store_true", help="only print what would be set")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            tenant = tenant_by_slug(options["tenant"])
        except NotFound as error:
            raise CommandError(f"There is no tenant {options['tenant']!r}.") from error
        with tenant_atomic(tenant.id):
            assistant = default_assistant()
            samples = read_samples(options["questions"]) if options["questions"] else list(own_headings())
        answerable, unanswerable = measure(tenant.id, samples, load_embedder(), load_reranker())
        chosen = {}
        for kind in answerable:
            quality = choose_threshold(answerable[kind], unanswerable[kind])
            before = gate_quality(threshold_for(assistant.refusal_gate, kind), answerable[kind], unanswerable[kind])
            self._report(kind, len(answerable[kind]), len(unanswerable[kind]), before, quality)
            if quality is not None:
                chosen[kind] = round(quality.threshold, 4)
        if not chosen:
            raise CommandError("Too few questions to choose a threshold from; nothing was changed.")
        if not options["dry_run"]:
            store(tenant.id, assistant, chosen)

    def _report(self, kind: str, asked: int, off: int, before: GateQuality, after: GateQuality | None) -> None:
        self.stdout.write(f"{kind}: {asked} answerable and {off} unanswerable questions")
        if after is None:
            self.stdout.write("  too few; the threshold stays")
            return
        for name, quality in (("before", before), ("after", after)):
            self.stdout.write(
                f"  {name:<7} threshold {quality.threshold:.3f}  false refusals {quality.false_refusals:6.1%}"
                f"  refused {quality.refused:6.1%}"
            )


def read_samples(path: Path) -> list[Sample]:
    """The questions of a file. Raises CommandError."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        return [_sample(item, is_answerable=True) for item in stored["answerable"]] + [
            _sample(item, is_answerable=False) for item in stored["unanswerable"]
        ]
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CommandError(f"{path} does not hold answerable and unanswerable questions: {error!r}") from error


def own_headings() -> Iterator[Sample]:
    """Titles and headings as questions: answerable with their article, unanswerable when it is hidden.

    Hiding an article leaves neighbours that may answer as well, so the refusals found this way are a lower bound.
    """
    for article, language, title, heading in queries.passages().values_list(
        "article_id", "language", "version__title", "heading"
    ):
        sample = Sample(f"{title} {heading}".strip(), language, language)
        yield sample
        yield replace(sample, is_answerable=False, hidden=article)


def measure(
    tenant_id: UUID, samples: list[Sample], embedder: Embedder, reranker: Reranker | None
) -> tuple[Scores, Scores]:
    """Scores of answerable and unanswerable questions for each kind of evidence, read by the reranker where there is one."""
    answerable: Scores = defaultdict(list)
    unanswerable: Scores = defaultdict(list)
    for sample in samples:
        result = search(
            tenant_id=tenant_id,
            query=sample.text,
            query_vector=embedder.embed_query(sample.text),
            language=sample.language,
            limit=SEARCH_LIMIT,
        )
        result = _without(result, sample.hidden)
        if reranker is not None:
            result = rerank_unhurried(result, sample.text, reranker)
        for kind, score in gate_scores(result).items():
            if not sample.is_answerable:
                unanswerable[kind].append(score)
            elif kind.startswith("cross") == (sample.answer_language != sample.language):
                answerable[kind].append(score)
    return answerable, unanswerable


def store(tenant_id: UUID, assistant: Assistant, chosen: dict[Kind, float]) -> None:
    """Keep the thresholds in the assistant's gate beside those that were not measured."""
    with tenant_atomic(tenant_id):
        own = assistant.refusal_gate.get("threshold", {})
        if not isinstance(own, dict):
            own = dict.fromkeys(get_args(Kind), own if own is not None else DEFAULT_THRESHOLD)
        assistant.refusal_gate = {**assistant.refusal_gate, "threshold": {**own, **chosen}}
        assistant.save(update_fields=["refusal_gate"])


def _sample(item: dict[str, str], *, is_answerable: bool) -> Sample:
    language = item.get("language") or detect_language(item["question"])
    folder = item.get("article", "").partition("/")[0]
    answer_language = folder if folder in {"en", "zh"} else language
    return Sample(item["question"], language, answer_language, is_answerable)


def _without(result: RetrievalResult, article_id: UUID | None) -> RetrievalResult:
    if article_id is None:
        return result
    return replace(result, candidates=tuple(each for each in result.candidates if each.article_id != article_id))
