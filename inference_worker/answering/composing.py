"""From a question to what the engine is asked: language, search, selection, style, prompt. Nothing is generated here."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from conversations.models import AnswerStyle, Assistant, Author, Message
from conversations.parameters import RequestParameters
from conversations.replies import ClaimedReply
from conversations.small_talk import small_talk
from inference_worker.answering import sampling
from inference_worker.answering.embedding import embed_found
from inference_worker.answering.follow_up import with_predecessor
from inference_worker.answering.prompt import MAX_PASSAGES, BuiltPrompt, PromptPassage, build_prompt
from inference_worker.answering.steps import StepClock
from inference_worker.engine.contract import ChatTurn, Engine, PromptTooLong, SamplingParameters
from inference_worker.runtime import Runtime
from knowledge.quoting.codes import codes_in
from knowledge.quoting.deciding import decide
from knowledge.quoting.mentions import Verdict
from knowledge.quoting.questions import asking_part, is_long, questions_in
from knowledge.quoting.selection import Quote, QuoteSelection, fitting_quotes, join_quotes
from knowledge.search.retrieval import Candidate, RetrievalResult, search
from knowledge.search.terms import known_share
from knowledge.text import detect_language

# Small models lose the thread in long prompts, and on a CPU every prompt token costs time to the first word.
QUOTE_PROMPT_TOKENS = 640
# Quotes may take this part of the context window: the answer gets twice their tokens, and the prompt has room beside it.
QUOTED_PART = 4


@dataclass(frozen=True, slots=True)
class Found:
    """What one search found, what would be quoted from it, and what of the question that does not speak of."""

    query: str
    result: RetrievalResult
    selection: QuoteSelection
    verdict: Verdict = field(default_factory=Verdict)


@dataclass(frozen=True, slots=True)
class Composition:
    """Everything that is decided before the engine writes."""

    style: AnswerStyle
    prompt: BuiltPrompt
    sampling: SamplingParameters
    passages: tuple[Candidate, ...]


def question_language(claimed: ClaimedReply) -> str:
    """The language to answer in: the question's own."""
    return detect_language(claimed.question.body)


def earlier_questions(history: Sequence[Message]) -> list[str]:
    """What the customer asked before, the oldest first; a greeting is no question."""
    bodies = (message.body for message in history if message.author == Author.CUSTOMER)
    return [body for body in bodies if small_talk(body) is None]


def find(
    runtime: Runtime,
    claimed: ClaimedReply,
    *,
    language: str,
    clock: StepClock,
    vector: Sequence[float] | None = None,
    own_names: Collection[str] = (),
) -> Found:
    """Search for the question; a follow-up also with its predecessor's words, a mail also with its questions alone.

    The better find wins. `vector` is the question's when it has been computed before, `own_names` are the company's.
    """
    question = claimed.question.body
    look = partial(_search, runtime, claimed, language=language, clock=clock, own_names=own_names)
    finds = [look(question, vector=vector)]
    known = known_share(finds[0].result.terms)
    longer = with_predecessor(question, earlier_questions(claimed.history), language, known=known)
    if longer is not None:
        # What it names itself is asked about, not what was named before.
        finds.append(look(longer, asked=question if codes_in(question) else longer))
    elif is_long(question):
        finds += [look(each) for each in questions_in(question)]
    return max(finds, key=lambda each: (each.selection.answerable, each.selection.score))


def _search(
    runtime: Runtime,
    claimed: ClaimedReply,
    query: str,
    *,
    language: str,
    clock: StepClock,
    own_names: Collection[str],
    vector: Sequence[float] | None = None,
    asked: str | None = None,
) -> Found:
    if vector is None:
        with clock.step("embed"):
            vector = runtime.embedder.embed_query(query)
    with clock.step("retrieve"):
        result = search(tenant_id=claimed.tenant_id, query=query, query_vector=vector, language=language)
    if any(candidate.vector is None for candidate in result.own_language):
        with clock.step("index"):
            has_more = embed_found(result, tenant_id=claimed.tenant_id, embedder=runtime.embedder)
        if has_more:
            with clock.step("retrieve"):
                result = search(tenant_id=claimed.tenant_id, query=query, query_vector=vector, language=language)
    with clock.step("select"):
        gate = claimed.conversation.assistant.refusal_gate
        decision = decide(result, asked=asking_part(asked or query), gate=gate, own_names=own_names)
        engine = runtime.host.engine
        most = engine.info().max_model_len // QUOTED_PART
        quotes = fitting_quotes(decision.selection.quotes, count_tokens=engine.count_tokens, most=most)
        return Found(query, result, replace(decision.selection, quotes=quotes), decision.verdict)


def resolve_style(assistant: Assistant, *, can_generate_freely: bool) -> AnswerStyle:
    """The assistant's style; automatic means free writing only for a model that is up to it."""
    if assistant.style != AnswerStyle.AUTOMATIC:
        return AnswerStyle(assistant.style)
    return AnswerStyle.GENERATE if can_generate_freely else AnswerStyle.QUOTE


def compose(
    engine: Engine,
    claimed: ClaimedReply,
    found: Found,
    *,
    asked: RequestParameters,
    style: AnswerStyle,
    language: str,
    company: str,
) -> Composition:
    """Build the prompt; in quote style the engine is restricted to the selected sentences."""
    assistant = claimed.conversation.assistant
    limit = engine.info().max_model_len
    quote_text = join_quotes(found.selection.quotes)
    # Articles must have room beside a long answer.
    answer_tokens = min(sampling.token_limit(assistant, asked), limit // 2)
    if style is AnswerStyle.QUOTE:
        answer_tokens = engine.count_tokens(quote_text) * 2 + 16
    budget = limit - answer_tokens - 64
    if style is AnswerStyle.QUOTE:
        budget = min(budget, QUOTE_PROMPT_TOKENS)
    passages = _passages_for_prompt(found)
    prompt = build_prompt(
        company=company,
        language=language,
        extra_instructions="\n".join(filter(None, (assistant.instructions, asked.instructions))),
        passages=[_prompt_passage(candidate, found.selection.quotes) for candidate in passages],
        history=_history_turns(claimed.history),
        question=claimed.question.body,
        budget=budget,
        count_tokens=engine.count_tokens,
    )
    if style is AnswerStyle.QUOTE:
        picking = sampling.quoting(assistant, asked, text=quote_text, max_tokens=answer_tokens)
    else:
        picking = sampling.writing(assistant, asked, max_tokens=answer_tokens)
    return Composition(style=style, prompt=prompt, sampling=picking, passages=tuple(passages))


def compose_ungrounded(engine: Engine, claimed: ClaimedReply, *, asked: RequestParameters) -> Composition:
    """The messages as they are, below the request's instructions: no articles, no words of ours, and nothing is dropped.

    Raises PromptTooLong when they and the answer asked for do not fit into the model's context window.
    """
    assistant = claimed.conversation.assistant
    system = [ChatTurn("system", asked.instructions)] if asked.instructions else []
    turns = (*system, *_history_turns(claimed.history), ChatTurn("user", claimed.question.body))
    limit, prompt_tokens = engine.info().max_model_len, len(engine.render(turns).token_ids)
    max_tokens = asked.max_tokens or max(min(assistant.max_tokens, limit - prompt_tokens), 1)
    if prompt_tokens + max_tokens > limit:
        raise PromptTooLong(prompt_tokens=prompt_tokens, max_tokens=max_tokens, limit=limit)
    return Composition(
        style=AnswerStyle.FREE,
        prompt=BuiltPrompt(turns=turns, passages=(), spans=(), cuts=()),
        sampling=sampling.writing(assistant, asked, max_tokens=max_tokens),
        passages=(),
    )


def as_quote(composition: Composition, found: Found, *, assistant: Assistant, asked: RequestParameters) -> Composition:
    """The same prompt, restricted to the selected sentences: what a free answer without support falls back to."""
    picking = sampling.quoting(assistant, asked, text=join_quotes(found.selection.quotes), max_tokens=2048)
    return replace(composition, style=AnswerStyle.QUOTE, sampling=picking)


def _passages_for_prompt(found: Found) -> list[Candidate]:
    """Quoted passages first in rank order, then the best others, at most MAX_PASSAGES."""
    quoted = {quote.candidate.chunk_id for quote in found.selection.quotes}
    candidates = found.result.candidates
    ordered = [each for each in candidates if each.chunk_id in quoted]
    ordered += [each for each in candidates if each.chunk_id not in quoted]
    return ordered[:MAX_PASSAGES]


def _prompt_passage(candidate: Candidate, quotes: Sequence[Quote]) -> PromptPassage:
    return PromptPassage(
        reference=str(candidate.chunk_id),
        title=candidate.title,
        text=candidate.text,
        sentences=candidate.parts,
        focus=tuple((quote.start, quote.end) for quote in quotes if quote.candidate.chunk_id == candidate.chunk_id),
    )


def _history_turns(history: Sequence[Message]) -> list[ChatTurn]:
    turns: list[ChatTurn] = []
    for message in history:
        if message.author == Author.CUSTOMER:
            turns.append(ChatTurn("user", message.body))
        elif message.author in (Author.AI, Author.PERSON):
            turns.append(ChatTurn("assistant", message.body))
    return turns
