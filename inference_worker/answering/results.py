"""What the stages of an answer give each other, in their order: asked, evidence, plan, draft, checked. Frozen values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from conversations.intents import Intent
from conversations.models import AnswerStyle, Assistant, CacheKind, Message, Outcome
from conversations.parameters import RequestParameters
from inference_worker.answering.prompt import BuiltPrompt
from inference_worker.engine.contract import EngineInfo, FinishReason, Prompt, SamplingParameters, Token
from knowledge.quoting.mentions import Verdict
from knowledge.quoting.selection import Quote, QuoteSelection
from knowledge.search.retrieval import Candidate, RetrievalResult
from tracing.calibration import ConfidenceModel
from tracing.content import Checking, Confidence
from tracing.models import Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The question of a claimed reply, and how it is to be answered.

    `query` is what is searched for: the question, unless a stage wrote it anew. A lower `priority` is served first.
    """

    tenant_id: UUID
    reply_id: UUID
    attempt: int
    priority: int
    is_unhurried: bool
    channel: str
    asked_at: datetime
    waited_ms: float
    question: str
    query: str
    language: str
    history: tuple[Message, ...]
    assistant: Assistant
    parameters: RequestParameters


@dataclass(frozen=True, slots=True)
class CacheQuery:
    """A question that may be answered from the cache, under the digests that stand for it there.

    `exact` is the question's with everything that its answer depends on, `group` that of the same things without the
    question. `needed` is the cosine that a similar question must have, None when only the same one counts. `vector` is
    there when it was computed.
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
    """A cached answer that may be used, with the trace that it was written with."""

    kind: CacheKind
    similarity: float
    trace: Trace
    message: Message
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class Found:
    """What one search found, what would be quoted from it, and what of the question that does not speak of.

    `parts` are the searches of a message that asks several questions; `result` and `selection` then hold those of all that
    were found, in the order of the message. `left` are further questions of it, which were not looked at.
    """

    query: str
    result: RetrievalResult
    selection: QuoteSelection
    verdict: Verdict = field(default_factory=Verdict)
    parts: tuple[Part, ...] = ()
    left: tuple[str, ...] = ()

    @property
    def open_parts(self) -> tuple[str, ...]:
        """What of the message was not found, in the customer's words; nothing of one that asks one question."""
        return tuple(part.question for part in self.parts if not part.found.selection.answerable)


@dataclass(frozen=True, slots=True)
class Part:
    """One of several questions in a message, with what was found for it alone."""

    question: str
    found: Found


@dataclass(frozen=True, slots=True)
class NoEvidence:
    """Nothing is looked up: for an intent that needs no article, and (None) when the model is asked alone."""

    intent: Intent | None = None


@dataclass(frozen=True, slots=True)
class CacheHit:
    """The same question was answered before, from the knowledge of now."""

    original: Original


@dataclass(frozen=True, slots=True, kw_only=True)
class Articles:
    """What the company's articles say, and the models that looked for it.

    `is_complete` is false while some of them are not searched yet. `style` is how it would be answered from them;
    `cache_query` is None for an answer that may not be cached.
    """

    found: Found
    style: AnswerStyle
    company: str
    embedder: dict[str, str]
    reranker: dict[str, str] | None = None
    calibration: ConfidenceModel | None
    is_complete: bool
    cache_query: CacheQuery | None = None


Evidence = NoEvidence | CacheHit | Articles


@dataclass(frozen=True, slots=True)
class FixedText:
    """An intent that needs no article gets the same words each time.

    `hands_over`: the customer waits for a person from then on.
    """

    text: str
    intent: Intent
    hands_over: bool = False
    style: AnswerStyle = AnswerStyle.FIXED


@dataclass(frozen=True, slots=True)
class Clarify:
    """Several things are meant as likely: the customer is asked which. `quotes` are what would be said of each."""

    text: str
    quotes: tuple[Quote, ...]
    style: AnswerStyle = AnswerStyle.FIXED


@dataclass(frozen=True, slots=True)
class Refusal:
    """The articles hold no answer, or a stage does not let the question pass."""

    text: str
    style: AnswerStyle


@dataclass(frozen=True, slots=True)
class Repetition:
    """A cached answer is used."""

    original: Original


@dataclass(frozen=True, slots=True)
class Composition:
    """Everything that is decided before the engine writes. `passages` stand in the prompt, in their order."""

    style: AnswerStyle
    prompt: BuiltPrompt
    sampling: SamplingParameters
    passages: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """The engine writes: a quote, freely from passages, or by itself. `quotes` are what it may quote or fall back to.

    `own_names` are the company's and the assistant's, which no passage has to hold.
    """

    composition: Composition
    prompt: Prompt
    engine: EngineInfo
    quotes: tuple[Quote, ...] = ()
    own_names: tuple[str, ...] = ()

    @property
    def style(self) -> AnswerStyle:
        """How it writes."""
        return self.composition.style


Plan = FixedText | Clarify | Refusal | Repetition | Generation


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """What the engine wrote. `first_token_at` is time.perf_counter() of the first delta.

    `token_seconds` are the times from token to token after it; those of one delta share its time.
    """

    text: str
    tokens: tuple[Token, ...]
    finish_reason: FinishReason | None
    cached_prompt_tokens: int
    first_token_at: float | None
    token_seconds: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What was written by the plan, and shown; `first_ms` is when the first words went out, since the claim.

    Of what was written freely from passages `checking` says what became of each sentence, and `quotes` back those that
    were shown.
    """

    text: str
    is_stopped: bool = False
    generated: Generated | None = None
    first_ms: float | None = None
    checking: Checking | None = None
    quotes: tuple[Quote, ...] = ()


@dataclass(frozen=True, slots=True)
class Translated:
    """A quote as the engine put it into the customer's language; `reason` is why that is not shown, "" when it is."""

    quote: Quote
    text: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The answer as it stands after the check, with the plan and draft that it came from in the end.

    `quotes` back it; `groundedness` was measured of a freely written answer (0 to 1). `withdrawn` is what the engine wrote
    first when nothing of that could be shown. `offers_person`: it ends by offering one. `translations` are those of quotes in
    another language than the question's.
    """

    text: str
    outcome: Outcome
    plan: Plan
    draft: Draft
    quotes: tuple[Quote, ...] = ()
    groundedness: float | None = None
    withdrawn: Draft | None = None
    offers_person: bool = False
    translations: tuple[Translated, ...] = ()
