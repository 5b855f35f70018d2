"""Which cached answer may be used: the same tenant, assistant, knowledge, language and, in other words, question.

The index only points (`knowledge.cached_answers.answer_index`). Whether a cached answer may be used is decided here, from
the rows of the tenant in scope: a wrong or forged pointer is a miss.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from conversations.models import AnswerStyle, CacheKind, Outcome
from helpdesk import crypto
from helpdesk.crypto import SealError
from helpdesk.tenants.scope import tenant_atomic
from inference_worker.answering.means import AnswerSettings
from inference_worker.answering.prompt import TEMPLATE_VERSION
from inference_worker.answering.results import Asked, CacheQuery, Original
from inference_worker.answering.steps import Steps
from inference_worker.engine.contract import Embedder, EngineInfo
from knowledge.cached_answers import answer_index
from knowledge.cached_answers.answer_index import Pointer
from knowledge.cached_answers.same_question import looks_personal, normalised
from knowledge.cached_answers.sharing import needed_similarity, words_agree
from knowledge.queries import all_current
from knowledge.state import current_state
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


@dataclass(frozen=True, slots=True)
class Recalled:
    """The answer to give again, if there is one, and the query with the vector that may have been computed for it."""

    original: Original | None
    query: CacheQuery


def cache_query(
    asked: Asked,
    *,
    style: AnswerStyle,
    engine: EngineInfo,
    embedder: dict[str, str],
    reranker: dict[str, str] | None,
    settings: AnswerSettings,
) -> CacheQuery | None:
    """The question as the cache knows it; None when its answer may neither come from there nor be kept there.

    Reads the version of the knowledge: to be called before the search, so that an answer from older knowledge is kept,
    if at all, where nobody looks any more.
    """
    if not _may_be_shared(asked, style, settings):
        return None
    with tenant_atomic(asked.tenant_id):
        state = current_state()
    assistant = asked.assistant
    depends_on = {
        "assistant": {name: getattr(assistant, name) for name in ASSISTANT_FIELDS},
        "knowledge": state.version,
        "language": asked.language,
        "style": style.value,
        "engine": [engine.model, engine.revision, engine.quantization],
        "embedder": embedder,
        "reranker": reranker,
        "template": TEMPLATE_VERSION,
        "parameters": asked.parameters.to_json(),
    }
    whole = json.dumps(depends_on, sort_keys=True, default=str).encode()
    key = crypto.derive(settings.secret_key, f"answer-cache/{asked.tenant_id}")
    return CacheQuery(
        tenant_id=asked.tenant_id,
        assistant_id=assistant.id,
        question=asked.question,
        language=asked.language,
        exact=crypto.chain(key, b"exact", whole, normalised(asked.question).encode(errors="replace")).hex(),
        group=crypto.chain(key, b"group", whole).hex(),
        needed=needed_similarity(state, language=asked.language, embedder=embedder.get("model", "")),
    )


def recall(query: CacheQuery, embedder: Embedder, steps: Steps) -> Recalled:
    """The answer to give again, if there is one: that of the same question, else that of a similar one."""
    with steps.step(SAME_STEP):
        pointer = answer_index.same(query.tenant_id, query.exact)
        original = _usable(query, pointer, CacheKind.EXACT) if pointer else None
    if original is not None or query.needed is None:
        return Recalled(original, query)
    with steps.step("embed"):
        vector = embedder.embed_query(query.question)
    with steps.step(SIMILAR_STEP):
        near = answer_index.alike(query.tenant_id, query.group, vector, at_least=query.needed)
        found = (_usable(query, each, CacheKind.SEMANTIC) for each in near)
        return Recalled(next((each for each in found if each is not None), None), replace(query, vector=vector))


def keep(query: CacheQuery, pointer: Pointer, *, seconds: int) -> None:
    """Put the answer into the cache. To be called after its commit."""
    answer_index.remember(
        query.tenant_id,
        pointer,
        exact=query.exact,
        group=query.group,
        vector=query.vector,
        seconds=seconds,
    )


def _may_be_shared(asked: Asked, style: AnswerStyle, settings: AnswerSettings) -> bool:
    """First questions only, asked as anybody might ask them, of an assistant that would say the same again."""
    parameters = asked.parameters
    if settings.cache_seconds <= 0 or asked.history:
        return False
    if not parameters.use_cache or not parameters.grounded or parameters.top_logprobs is not None:
        return False
    own = asked.assistant.temperature
    temperature = own if parameters.temperature is None else parameters.temperature
    return (style is AnswerStyle.QUOTE or temperature == 0) and not looks_personal(asked.question)


def _usable(query: CacheQuery, pointer: Pointer, kind: CacheKind) -> Original | None:
    """The original behind the pointer, unless it is not the tenant's, not that question's, or not whole any more."""
    with tenant_atomic(query.tenant_id):
        trace: Trace | None = (
            Trace.objects.filter(**_original(query, pointer)).select_related("reply__question", "reply__answer").first()
        )
        if trace is None or not _asks_the_same(query, trace.reply.question.body, kind):
            return None
        message = trace.reply.answer
        if message is None or not all_current([(source["article"], source["version"]) for source in message.sources]):
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
