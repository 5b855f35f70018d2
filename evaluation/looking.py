"""The product's own search, selection and gate in this process: what a question comes to, up to the engine.

The stages are those of `inference_worker.answering.pipeline`; there is no queue, and nothing is written or stored.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

from django.conf import settings
from django.utils import timezone

from conversations.models import Channel, Outcome
from conversations.parameters import RequestParameters
from conversations.queries import default_assistant
from evaluation.vectors import Remembering
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from inference_worker.answering.endings import Watch
from inference_worker.answering.further import FurtherStages, through
from inference_worker.answering.means import AnswerSettings, Means
from inference_worker.answering.pipeline import gather_evidence, make_plan
from inference_worker.answering.recording import trace_content
from inference_worker.answering.reply_stream import ReplyStream
from inference_worker.answering.results import Articles, Asked, Checked, Clarify, Draft, Evidence, Found, Generation
from inference_worker.answering.steps import Steps
from inference_worker.answering.stopping import StopSignal
from inference_worker.engine.contract import PRIORITY_BACKGROUND, Embedder, EngineInfo, Reranker
from inference_worker.engine.host import EngineHost
from inference_worker.engine.scripted import ScriptedEngine
from inference_worker.loading import load_embedder, load_reranker
from knowledge.search.retrieval import RetrievalResult
from knowledge.text import detect_language
from tracing.content import TraceContent

# What `--without` leaves out, one at a time or several: each is a stage of the product that is not given or not heeded.
STAGES = ("rerank", "names", "gate", "other_language")
PATIENCE = timedelta(minutes=10)
UNHURRIED_MILLISECONDS = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """What the worker has loaded, but for the chat model."""

    embedder: Embedder
    reranker: Reranker | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the desk would do with a question: quote (`is_answered`), ask back which thing is meant (`asks_back`), decline, or
    (`found` None) reply with a fixed text.

    `content` is what the trace would hold of it; `milliseconds` are those of each stage.
    """

    is_answered: bool
    asks_back: bool = False
    found: Found | None
    content: TraceContent
    milliseconds: dict[str, float]

    @property
    def quoted(self) -> tuple[str, ...]:
        """What would be quoted, each behind what introduces it; also of a question that is declined."""
        quotes = self.found.selection.quotes if self.found else ()
        return tuple(f"{quote.context} {quote.text}".strip() for quote in quotes)

    @property
    def score(self) -> float:
        """The gate's score; 0 where something else than the score declines."""
        if self.found is None or self.found.verdict.is_refusal:
            return 0.0
        return self.found.selection.score


class LocalDesk:
    """A tenant's desk without queue and engine."""

    def __init__(self, tenant: Tenant, models: Models, *, without: Collection[str] = ()) -> None:
        with tenant_atomic(tenant.id):
            self._assistant = default_assistant()
        self._tenant_id = tenant.id
        self._models = models
        self._further = _further(without)
        self._model = EngineHost(_NoEngine(models.embedder))

    def look(self, question: str) -> Look:
        """Ask it as a new visitor's first question."""
        asked, means = self._asked(question), self._means()
        asked = through(self._further.asked, asked, means)
        evidence = gather_evidence(asked, means, rerankers=self._further.rerank)
        evidence = through(self._further.evidence, evidence, means)
        measured = list(means.steps.records)
        plan = through(self._further.plan, make_plan(asked, evidence, means), means)
        is_answered = isinstance(plan, Generation)
        found = evidence.found if isinstance(evidence, Articles) else None
        checked = Checked(
            text="",
            outcome=Outcome.ANSWERED if is_answered or isinstance(plan, Clarify) else Outcome.REFUSED,
            plan=plan,
            draft=Draft(text=""),
            quotes=plan.quotes if isinstance(plan, Generation | Clarify) else (),
        )
        milliseconds: dict[str, float] = defaultdict(float)
        for step in measured:
            milliseconds[step.name] += step.duration_ms
        return Look(
            is_answered=is_answered,
            asks_back=isinstance(plan, Clarify),
            found=found,
            content=trace_content(asked, evidence, checked, means),
            milliseconds=dict(milliseconds),
        )

    def _asked(self, question: str) -> Asked:
        return Asked(
            tenant_id=self._tenant_id,
            reply_id=uuid4(),
            attempt=1,
            priority=PRIORITY_BACKGROUND,
            is_unhurried=True,
            channel=Channel.SHELL,
            asked_at=timezone.now(),
            waited_ms=0.0,
            question=question,
            query=question,
            language=detect_language(question),
            history=(),
            assistant=self._assistant,
            parameters=RequestParameters(use_cache=False),
        )

    def _means(self) -> Means:
        return Means(
            model=self._model,
            embedder=self._models.embedder,
            reranker=self._models.reranker,
            # What is measured is how well it reads: on a busy machine it must not read less.
            settings=AnswerSettings(
                cache_seconds=0, secret_key=settings.SECRET_KEY.encode(), rerank_milliseconds=UNHURRIED_MILLISECONDS
            ),
            steps=Steps(),
            stream=_Unheard(self._tenant_id),
            watch=Watch(stop=StopSignal(), deadline_at=timezone.now() + PATIENCE, is_stopping=lambda: False),
        )


def load_models(without: Collection[str] = (), *, vectors: Path | None = None) -> Models:
    """As the worker loads them, but for the chat model; passages' vectors are kept in the file `vectors`."""
    return Models(
        embedder=Remembering(load_embedder(), file=vectors),
        reranker=None if "rerank" in without else load_reranker(),
    )


class _NoEngine(ScriptedEngine):
    """Stands for the chat model, which is not asked: counts tokens as the embedding model does."""

    def __init__(self, embedder: Embedder) -> None:
        super().__init__(max_model_len=settings.ENGINE_MAX_MODEL_LEN)
        self._embedder = embedder

    def count_tokens(self, text: str) -> int:
        return self._embedder.count_tokens(text)

    def info(self) -> EngineInfo:
        return replace(super().info(), can_generate_freely=False)


class _Unheard(ReplyStream):
    """Nobody follows: nothing is published."""

    def __init__(self, tenant_id: UUID) -> None:
        super().__init__(tenant_id=tenant_id, conversation_id=uuid4(), reply_id=uuid4(), attempt=1, interval=0.0)

    def phase(self, phase: str, *, format: str | None = None) -> None:
        pass


def _further(without: Collection[str]) -> FurtherStages:
    evidence = [stage for name, stage in (("names", _unnamed), ("gate", _ungated)) if name in without]
    return FurtherStages(
        rerank=(_own_language,) if "other_language" in without else (),
        evidence=tuple(evidence),
    )


def _own_language(result: RetrievalResult, means: Means) -> RetrievalResult:
    return replace(result, candidates=result.own_language)


def _unnamed(evidence: Evidence, means: Means) -> Evidence:
    """What the question names declines nothing; the gate's score does."""
    if not isinstance(evidence, Articles) or not evidence.found.verdict.is_refusal:
        return evidence
    selection = evidence.found.selection
    return _judged(evidence, answerable=bool(selection.quotes) and selection.score >= selection.threshold)


def _ungated(evidence: Evidence, means: Means) -> Evidence:
    """The score declines nothing; what the question names does."""
    if not isinstance(evidence, Articles):
        return evidence
    found = evidence.found
    return _judged(evidence, answerable=bool(found.selection.quotes) and not found.verdict.is_refusal)


def _judged(evidence: Articles, *, answerable: bool) -> Articles:
    found = evidence.found
    return replace(evidence, found=replace(found, selection=replace(found.selection, answerable=answerable)))
