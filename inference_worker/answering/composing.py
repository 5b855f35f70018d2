"""From what was found to what the engine is asked: style, prompt, sampling. Nothing is generated here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from conversations.models import AnswerStyle, Assistant, Author, Message
from inference_worker.answering import sampling
from inference_worker.answering.prompt import MAX_PASSAGES, BuiltPrompt, PassageToFit, build_prompt
from inference_worker.answering.results import Asked, Composition, Found
from inference_worker.engine.contract import ChatTurn, Engine, EngineInfo, PromptTooLong
from knowledge.quoting.selection import Quote, join_quotes
from knowledge.search.retrieval import Candidate

# Small models lose the thread in long prompts, and on a CPU every prompt token costs time to the first word.
QUOTE_PROMPT_TOKENS = 640


def resolve_style(assistant: Assistant, engine: EngineInfo, language: str) -> AnswerStyle:
    """The assistant's style; automatic means free writing only for a model that is up to it in the question's language."""
    if assistant.style != AnswerStyle.AUTOMATIC:
        return AnswerStyle(assistant.style)
    writes = engine.can_generate_freely and language in engine.writes
    return AnswerStyle.GENERATE if writes else AnswerStyle.QUOTE


def compose(engine: Engine, asked: Asked, found: Found, *, style: AnswerStyle, company: str) -> Composition:
    """Build the prompt; in quote style the engine is restricted to the selected sentences."""
    assistant, wanted = asked.assistant, asked.parameters
    limit = engine.info().max_model_len
    quote_text = join_quotes(found.selection.quotes)
    # Articles must have room beside a long answer.
    answer_tokens = min(sampling.token_limit(assistant, wanted), limit // 2)
    if style is AnswerStyle.QUOTE:
        answer_tokens = engine.count_tokens(quote_text) * 2 + 16
    budget = limit - answer_tokens - 64
    if style is AnswerStyle.QUOTE:
        budget = min(budget, QUOTE_PROMPT_TOKENS)
    passages = _passages_for_prompt(found)
    prompt = build_prompt(
        company=company,
        language=asked.language,
        extra_instructions="\n".join(filter(None, (assistant.instructions, wanted.instructions))),
        passages=[_passage_to_fit(candidate, found.selection.quotes) for candidate in passages],
        history=_history_turns(asked.history),
        question=asked.question,
        budget=budget,
        count_tokens=engine.count_tokens,
    )
    if style is AnswerStyle.QUOTE:
        picking = sampling.quoting(assistant, wanted, text=quote_text, max_tokens=answer_tokens)
    else:
        picking = sampling.writing(assistant, wanted, max_tokens=answer_tokens)
    return Composition(style=style, prompt=prompt, sampling=picking, passages=tuple(passages))


def compose_ungrounded(engine: Engine, asked: Asked) -> Composition:
    """The messages as they are, below the request's instructions: no articles, no words of ours, and nothing is dropped.

    Raises PromptTooLong when they and the answer asked for do not fit into the model's context window.
    """
    assistant, wanted = asked.assistant, asked.parameters
    system = [ChatTurn("system", wanted.instructions)] if wanted.instructions else []
    turns = (*system, *_history_turns(asked.history), ChatTurn("user", asked.question))
    limit, prompt_tokens = engine.info().max_model_len, len(engine.render(turns).token_ids)
    max_tokens = wanted.max_tokens or max(min(assistant.max_tokens, limit - prompt_tokens), 1)
    if prompt_tokens + max_tokens > limit:
        raise PromptTooLong(prompt_tokens=prompt_tokens, max_tokens=max_tokens, limit=limit)
    return Composition(
        style=AnswerStyle.FREE,
        prompt=BuiltPrompt(turns=turns, passages=(), spans=(), cuts=()),
        sampling=sampling.writing(assistant, wanted, max_tokens=max_tokens),
        passages=(),
    )


def as_quote(composition: Composition, quotes: Sequence[Quote], asked: Asked) -> Composition:
    """The same prompt, restricted to the quotes: what a free answer without support falls back to."""
    picking = sampling.quoting(asked.assistant, asked.parameters, text=join_quotes(quotes), max_tokens=2048)
    return replace(composition, style=AnswerStyle.QUOTE, sampling=picking)


def _passages_for_prompt(found: Found) -> list[Candidate]:
    """Quoted passages first in rank order, then the best others, those in the question's language first, MAX_PASSAGES at most."""
    quoted = {quote.candidate.chunk_id for quote in found.selection.quotes}
    candidates = found.result.candidates
    ordered = [each for each in candidates if each.chunk_id in quoted]
    ordered += [
        each for each in (*found.result.own_language, *found.result.other_language) if each.chunk_id not in quoted
    ]
    return ordered[:MAX_PASSAGES]


def _passage_to_fit(candidate: Candidate, quotes: Sequence[Quote]) -> PassageToFit:
    return PassageToFit(
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
