"""Attributes of exported spans: OpenTelemetry's GenAI names, OpenInference's, and `glassdesk.*` for what neither has.

What is sealed appears only when the trace was opened for the export.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.semconv._incubating.attributes import gen_ai_attributes as gen_ai

from knowledge.search.ranking import FUSED
from tracing.columns import COLUMNS
from tracing.content import CandidateRecord, PromptTurn, SamplingRecord, TraceContent
from tracing.export.rows import ExportedTrace
from tracing.models import Trace

Attributes = dict[str, str | bool | int | float | Sequence[str]]
PROVIDER = "glassdesk"
DATA_SOURCE = "articles"
STEP_KINDS = {"retrieve": "RETRIEVER", "embed": "EMBEDDING", "rerank": "RERANKER", "check": "EVALUATOR"}
# OpenInference's names, as its specification lists them.
SPAN_KIND = "openinference.span.kind"
INPUT, OUTPUT = "input.value", "output.value"
PLAIN_TEXT = "text/plain"


def root_attributes(exported: ExportedTrace) -> Attributes:
    """The whole answer, its place in the chain, and with content question and answer."""
    trace = exported.trace
    found: Attributes = {
        SPAN_KIND: "CHAIN",
        gen_ai.GEN_AI_CONVERSATION_ID: str(trace.conversation_id),
        "glassdesk.chain.link": bytes(trace.chain).hex(),
        "glassdesk.sealed.digest": bytes(trace.sealed_digest).hex(),
        "glassdesk.sealed.prompt_digest": bytes(trace.sealed_prompt_digest).hex(),
        **_column_attributes(trace),
    }
    if trace.cache:
        # The conventions name the cache of prompts only; a whole answer from the cache has no usage of its own.
        found |= {
            "glassdesk.cache.kind": trace.cache,
            "glassdesk.cache.original_trace.id": str(trace.cached_from),
            "glassdesk.cache.saved_tokens": trace.saved_tokens,
        }
    for given in trace.reply.feedback.all():
        found[f"glassdesk.feedback.{given.given_by}"] = given.rating
    if exported.trouble:
        found["glassdesk.content.error"] = exported.trouble.code
    content = _content(exported)
    return found | (_texts(content.question, content.answer) if content else {})


def _column_attributes(trace: Trace) -> Attributes:
    """The plain columns that have a name there and hold anything."""
    values = {column.attribute: getattr(trace, column.name) for column in COLUMNS if column.attribute}
    return {
        name: value if isinstance(value, int | float) else str(value)
        for name, value in values.items()
        if value is not None and value != ""
    }


def step_attributes(name: str) -> Attributes:
    """A recorded step; its name is a fixed word."""
    return {SPAN_KIND: STEP_KINDS.get(name, "CHAIN"), "glassdesk.step": name}


def embedding_attributes(exported: ExportedTrace) -> Attributes:
    """Turning the question into a vector, which itself is not kept."""
    found: Attributes = {
        gen_ai.GEN_AI_OPERATION_NAME: gen_ai.GenAiOperationNameValues.EMBEDDINGS.value,
        gen_ai.GEN_AI_PROVIDER_NAME: PROVIDER,
    }
    content = _content(exported)
    model = (content.embedder or {}).get("model") if content else None
    if content and model:
        found |= {
            gen_ai.GEN_AI_REQUEST_MODEL: model,
            "embedding.model_name": model,
            "embedding.embeddings.0.embedding.text": _query(content),
            INPUT: _query(content),
            "input.mime_type": PLAIN_TEXT,
        }
    return found


def retrieval_attributes(exported: ExportedTrace) -> Attributes:
    """The search and every passage that it considered, in the order of the fused ranks."""
    found: Attributes = {
        gen_ai.GEN_AI_OPERATION_NAME: gen_ai.GenAiOperationNameValues.RETRIEVAL.value,
        gen_ai.GEN_AI_PROVIDER_NAME: PROVIDER,
        gen_ai.GEN_AI_DATA_SOURCE_ID: DATA_SOURCE,
    }
    content = _content(exported)
    if content is None:
        return found
    query = _query(content)
    found |= {gen_ai.GEN_AI_RETRIEVAL_QUERY_TEXT: query, INPUT: query, "input.mime_type": PLAIN_TEXT}
    documents = [_document(each) for each in content.candidates]
    short = [{"id": each["document.id"], "score": each.get("document.score")} for each in documents]
    found[gen_ai.GEN_AI_RETRIEVAL_DOCUMENTS] = _json(short)
    for number, document in enumerate(documents):
        found |= {f"retrieval.documents.{number}.{name}": value for name, value in document.items()}
    return found


def generation_attributes(exported: ExportedTrace, *, first_token_ms: float | None) -> Attributes:
    """One call of the model: tokens and model from the plain columns, the rest from the content."""
    trace = exported.trace
    found: Attributes = {
        SPAN_KIND: "LLM",
        gen_ai.GEN_AI_OPERATION_NAME: gen_ai.GenAiOperationNameValues.CHAT.value,
        gen_ai.GEN_AI_PROVIDER_NAME: PROVIDER,
        gen_ai.GEN_AI_OUTPUT_TYPE: gen_ai.GenAiOutputTypeValues.TEXT.value,
        gen_ai.GEN_AI_CONVERSATION_ID: str(trace.conversation_id),
        gen_ai.GEN_AI_USAGE_INPUT_TOKENS: trace.prompt_tokens,
        gen_ai.GEN_AI_USAGE_OUTPUT_TOKENS: trace.answer_tokens,
        gen_ai.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: trace.cached_prompt_tokens,
        "llm.provider": PROVIDER,
        "llm.token_count.prompt": trace.prompt_tokens,
        "llm.token_count.completion": trace.answer_tokens,
        "llm.token_count.total": trace.prompt_tokens + trace.answer_tokens,
        "llm.token_count.prompt_details.cache_read": trace.cached_prompt_tokens,
    }
    if trace.model:
        found |= {
            gen_ai.GEN_AI_REQUEST_MODEL: trace.model,
            gen_ai.GEN_AI_RESPONSE_MODEL: trace.model,
            "llm.model_name": trace.model,
            "glassdesk.quantization": trace.quantization,
        }
    if trace.finish_reason:
        found |= {
            gen_ai.GEN_AI_RESPONSE_FINISH_REASONS: [trace.finish_reason],
            "llm.finish_reason": trace.finish_reason,
        }
    if first_token_ms is not None:
        found[gen_ai.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK] = first_token_ms / 1000
    content = _content(exported)
    return found | (_generation_content(content, trace.finish_reason) if content else {})


def _generation_content(content: TraceContent, finish_reason: str) -> Attributes:
    found: Attributes = {}
    if content.engine:
        found |= {"llm.system": content.engine.engine, "glassdesk.engine.version": content.engine.engine_version}
    if content.sampling:
        found |= _sampling(content.sampling)
    if content.prompt:
        found |= _texts(content.prompt.text, content.answer) | _messages(content.prompt.turns, content.answer)
        found |= _gen_ai_messages(content.prompt.turns, content.answer, finish_reason)
        found["llm.prompt_template.version"] = content.prompt.template_version
    return found


def _sampling(sampling: SamplingRecord) -> Attributes:
    parameters: dict[str, Any] = {
        "max_tokens": sampling.max_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "seed": sampling.seed,
        "stop": list(sampling.stop),
        "logprobs": sampling.top_logprobs,
    }
    given = {name: value for name, value in parameters.items() if value not in (None, [])}
    found: Attributes = {
        gen_ai.GEN_AI_REQUEST_MAX_TOKENS: sampling.max_tokens,
        gen_ai.GEN_AI_REQUEST_TEMPERATURE: sampling.temperature,
        gen_ai.GEN_AI_REQUEST_TOP_P: sampling.top_p,
        "llm.invocation_parameters": _json(given),
    }
    if sampling.seed is not None:
        found[gen_ai.GEN_AI_REQUEST_SEED] = sampling.seed
    if sampling.stop:
        found[gen_ai.GEN_AI_REQUEST_STOP_SEQUENCES] = list(sampling.stop)
    return found


def _messages(turns: Sequence[PromptTurn], answer: str) -> Attributes:
    """OpenInference flattens lists."""
    found: Attributes = {}
    for number, turn in enumerate(turns):
        found[f"llm.input_messages.{number}.message.role"] = turn.role
        found[f"llm.input_messages.{number}.message.content"] = turn.content
    found |= {"llm.output_messages.0.message.role": "assistant", "llm.output_messages.0.message.content": answer}
    return found


def _gen_ai_messages(turns: Sequence[PromptTurn], answer: str, finish_reason: str) -> Attributes:
    """OpenTelemetry wants one JSON text, and the instructions apart."""
    said = [_message(turn.role, turn.content) for turn in turns if turn.role != "system"]
    reply = _message("assistant", answer) | {"finish_reason": finish_reason or "stop"}
    instructions = [{"type": "text", "content": turn.content} for turn in turns if turn.role == "system"]
    return {
        gen_ai.GEN_AI_SYSTEM_INSTRUCTIONS: _json(instructions),
        gen_ai.GEN_AI_INPUT_MESSAGES: _json(said),
        gen_ai.GEN_AI_OUTPUT_MESSAGES: _json([reply]),
    }


def _message(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def _document(candidate: CandidateRecord) -> Attributes:
    metadata = {
        "title": candidate.title,
        "heading": candidate.heading,
        "slug": candidate.slug,
        "version": candidate.version,
        "language": candidate.language,
        "used": candidate.used,
        **{f"{name}_score": score.score for name, score in candidate.scores.items()},
        **{f"{name}_rank": score.rank for name, score in candidate.scores.items()},
    }
    found: Attributes = {
        "document.id": candidate.chunk,
        "document.content": candidate.text,
        "document.metadata": _json(metadata),
    }
    best = next((candidate.scores[name] for name in (FUSED, *candidate.scores) if name in candidate.scores), None)
    return found | ({"document.score": best.score} if best else {})


def _texts(given: str, answered: str) -> Attributes:
    return {INPUT: given, "input.mime_type": PLAIN_TEXT, OUTPUT: answered, "output.mime_type": PLAIN_TEXT}


def _query(content: TraceContent) -> str:
    return content.search_query or content.question


def _content(exported: ExportedTrace) -> TraceContent | None:
    return exported.opened.content if exported.opened else None


def _json(value: Mapping[str, Any] | Sequence[Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
