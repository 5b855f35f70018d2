"""Which earlier answer may be given again: the same tenant, assistant, knowledge, language and, in other words, question.

The index only points (`knowledge.cached_answers.answer_index`). Whether an answer may be given again is decided here, from
the rows of the tenant in scope: a wrong or forged pointer is a miss.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings

from conversations.models import AnswerStyle, CacheKind, Message, Outcome
from conversations.parameters import RequestParameters
from conversations.replies import ClaimedReply
from helpdesk import crypto
from helpdesk.crypto import SealError
from helpdesk.tenants.scope import tenant_atomic
from inference_worker.answering.prompt import TEMPLATE_VERSION
from inference_worker.answering.steps import StepClock
from inference_worker.engine.contract import Embedder, EngineInfo
from knowledge.cached_answers import answer_index
from knowledge.cached_answers.answer_index import Pointer
from knowledge.cached_answers.same_question import looks_personal, normalised
from knowledge.cached_answers.sharing import needed_similarity, words_agree
from knowledge.queries import all_current
from knowledge.state import current_state
from tracing.content import Confidence
from tracing.models import Trace
from tracing.opening import content_of

SAME_STEP, SIMILAR_STEP = "cache", "cache_similar"
# What of an assistant an answer depends on. Its version covers them; a row that was changed past the version must not pass.
ASSISTANT_FIELDS = (
    "id",
    "version",
    "style",
    "instructions",
    "temperature",
    "top_p",
    "max_tokens",
    "seed",
    "stop",
    "model",
    "refusal_gate",
)


@dataclass(slots=True)
class CacheQuery:
    """A question that may be answered from the cache, under the digests that stand for it there.

    `exact` is the question's with everything that its answer depends on, `group` that of the same things without the
    question. `needed` is the cosine that a similar question must have, None when only the same one counts. `vector` is
    filled in when it was computed.
    """

    tenant_id: UUID
    assistant_id: UUID
    question: str
    language: str
    exact: str
    group: str
    needed: float | None
    vector: Sequence[float] | None = None


@dataclass(frozen=True, slots=True)
class Original:
    """An answer that may be given again, with the trace that it was written with."""

    kind: CacheKind
    similarity: float
    trace: Trace
    message: Message
    confidence: Confidence


def cache_query(
    claimed: ClaimedReply, *, language: str, style: AnswerStyle, engine: EngineInfo, embedder: dict[str, str]
) -> CacheQuery | None:
    """The question as the cache knows it; None when its answer may neither come from there nor be kept there.

    Reads the version of the knowledge: to be called before the search, so that an answer from older knowledge is kept,
    if at all, where nobody looks any more.
    """
    parameters = RequestParameters.from_json(claimed.reply.parameters)
    if not _may_be_shared(claimed, parameters, style):
        return None
    with tenant_atomic(claimed.tenant_id):
        state = current_state()
    assistant = claimed.conversation.assistant
    depends_on = {
        "assistant": {name: getattr(assistant, name) for name in ASSISTANT_FIELDS},
        "knowledge": state.version,
        "language": language,
        "style": style.value,
        "engine": [engine.model, engine.revision, engine.quantization],
        "embedder": embedder,
        "template": TEMPLATE_VERSION,
        "parameters": parameters.to_json(),
    }
    whole = json.dumps(depends_on, sort_keys=True, default=str).encode()
    key = crypto.derive(settings.SECRET_KEY.encode(), f"answer-cache/{claimed.tenant_id}")
    question = claimed.question.body
    return CacheQuery(
        tenant_id=claimed.tenant_id,
        assistant_id=assistant.id,
        question=question,
        language=language,
        exact=crypto.chain(key, b"exact", whole, normalised(question).encode(errors="replace")).hex(),
        group=crypto.chain(key, b"group", whole).hex(),
        needed=needed_similarity(state, language=language, embedder=embedder.get("model", "")),
    )


def recall(query: CacheQuery, embedder: Embedder, clock: StepClock) -> Original | None:
    """The answer to give again, if there is one: that of the same question, else that of a similar one."""
    with clock.step(SAME_STEP):
        pointer = answer_index.same(query.tenant_id, query.exact)
        original = _usable(query, pointer, CacheKind.EXACT) if pointer else None
    if original is not None or query.needed is None:
        return original
    with clock.step("embed"):
        query.vector = embedder.embed_query(query.question)
    with clock.step(SIMILAR_STEP):
        near = answer_index.alike(query.tenant_id, query.group, query.vector, at_least=query.needed)
        found = (_usable(query, each, CacheKind.SEMANTIC) for each in near)
        return next((original for original in found if original is not None), None)


def keep(query: CacheQuery, pointer: Pointer) -> None:
    """Let the answer be given again. To be called after its commit."""
    answer_index.remember(
        query.tenant_id,
        pointer,
        exact=query.exact,
        group=query.group,
        vector=query.vector,
        seconds=settings.ANSWER_CACHE_SECONDS,
    )


def _may_be_shared(claimed: ClaimedReply, parameters: RequestParameters, style: AnswerStyle) -> bool:
    """First questions only, asked as anybody might ask them, of an assistant that would say the same again."""
    if settings.ANSWER_CACHE_SECONDS <= 0 or claimed.history:
        return False
    if not parameters.use_cache or not parameters.grounded or parameters.top_logprobs is not None:
        return False
    own = claimed.conversation.assistant.temperature
    temperature = own if parameters.temperature is None else parameters.temperature
    return (style is AnswerStyle.QUOTE or temperature == 0) and not looks_personal(claimed.question.body)


def _usable(query: CacheQuery, pointer: Pointer, kind: CacheKind) -> Original | None:
    """The original behind the pointer, unless it is not the tenant's, not that question's, or not whole any more."""
    with tenant_atomic(query.tenant_id):
        trace: Trace | None = (
            Trace.objects.filter(**_original(query, pointer)).select_related("reply__question", "reply__answer").first()
        )
        if trace is None or not _asks_the_same(query, trace.reply.question.body, kind):
            return None
        message = trace.reply.answer
        assert message is not None  # noqa: S101 - the filter names it
        if not all_current([(source["article"], source["version"]) for source in message.sources]):
            return None
        try:
            content = content_of(trace)
        except SealError:
            # Its key was destroyed: the customer was erased.
            return None
    if content.deleted:
        return None
    return Original(kind, pointer.similarity, trace, message, content.confidence)


def _original(query: CacheQuery, pointer: Pointer) -> dict[str, Any]:
    return {
        "id": pointer.trace_id,
        "reply__answer_id": pointer.message_id,
        "reply__answer__outcome": Outcome.ANSWERED,
        "conversation__assistant_id": query.assistant_id,
        "language": query.language,
        "outcome": Outcome.ANSWERED,
        "finish_reason": "stop",
        "cache": "",
    }


def _asks_the_same(query: CacheQuery, question: str, kind: CacheKind) -> bool:
    if kind is CacheKind.EXACT:
        return normalised(question) == normalised(query.question)
    return not looks_personal(question) and words_agree(question, query.question, language=query.language)
