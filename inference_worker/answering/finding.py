"""Looking in the articles: what one question finds, what would be quoted from it, and what of it that does not speak of."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol

from conversations.intents import Intent, intent_of, without_small_talk
from conversations.models import Author, Message
from inference_worker.answering.choices import choice_made
from inference_worker.answering.embedding import embed_found
from inference_worker.answering.follow_up import follow_up
from inference_worker.answering.means import Means
from inference_worker.answering.parts import together
from inference_worker.answering.reranking import rerank
from inference_worker.answering.results import Asked, Found, Part
from knowledge.quoting.codes import codes_in
from knowledge.quoting.deciding import decide
from knowledge.quoting.questions import MAX_QUESTIONS, asking_part, is_long, questions_in
from knowledge.quoting.selection import fitting_quotes
from knowledge.quoting.several import asked_together
from knowledge.search.retrieval import POOL_LIMIT, POOL_OTHER_LANGUAGE_SLOTS, RetrievalResult, search
from knowledge.search.terms import known_share

# Quotes may take this part of the context window: the answer gets twice their tokens, and the prompt has room beside it.
QUOTED_PART = 4

Rerank = Callable[[RetrievalResult, Means], RetrievalResult]


class Look(Protocol):
    """One search; `named` is what of it says which thing is asked about, if not all of it."""

    def __call__(self, query: str, *, vector: Sequence[float] | None = None, named: str | None = None) -> Found:
        """What it finds."""


def earlier_questions(history: Sequence[Message]) -> list[str]:
    """What the customer asked before, the oldest first; a greeting is no question."""
    bodies = (message.body for message in history if message.author == Author.CUSTOMER)
    return [body for body in bodies if intent_of(body) in {None, Intent.ORDER}]


def find(
    asked: Asked,
    means: Means,
    *,
    vector: Sequence[float] | None = None,
    own_names: Collection[str] = (),
    rerankers: Sequence[Rerank] = (),
) -> Found:
    """Search for the question, or for each one of several; `vector` is the message's when it has been computed before.

    `own_names` are the company's.
    """
    earlier = earlier_questions(asked.history)
    look = partial(_look, asked, means, own_names=own_names, rerankers=rerankers)
    choice = choice_made(asked.query, asked.history)
    if choice is not None:
        return look(" ".join((*earlier[-1:], choice)))
    all_asked = [each for each in asked_together(asked.query) if intent_of(each) is None]
    several, left = all_asked[:MAX_QUESTIONS], tuple(all_asked[MAX_QUESTIONS:])
    if len(several) > 1:
        # Each leans on the one before it, the first on what was asked before.
        before = [earlier, *([each] for each in several)]
        parts = tuple(
            Part(each, _find_one(each, earlier=asked_before, language=asked.language, look=look))
            for each, asked_before in zip(several, before, strict=False)
        )
        open_parts = sum(not part.found.selection.answerable for part in parts)
        means.steps.note(
            "several_questions",
            "some_left" if left else "some_open" if open_parts else "all_found",
            asked=len(all_asked),
            open=open_parts,
            **({"left": len(left)} if left else {}),
        )
        if open_parts < len(parts):
            return replace(together(asked.query, parts), left=left)
    question = without_small_talk(asked.query)
    vector = vector if question == asked.query else None
    found = _find_one(question, earlier=earlier, language=asked.language, look=look, vector=vector)
    return replace(found, left=left)


def _find_one(
    question: str, *, earlier: Sequence[str], language: str, look: Look, vector: Sequence[float] | None = None
) -> Found:
    """The question's own find; a follow-up's instead or besides, a mail's also by its questions alone. The better wins."""
    finds = [look(question, vector=vector)]
    leaning = follow_up(question, earlier, language, known=known_share(finds[0].result.terms))
    if leaning is not None and leaning.replaces:
        return look(leaning.query)
    if leaning is not None:
        # What it names itself is asked about, not what was named before.
        finds.append(look(leaning.query, named=question if codes_in(question) else leaning.query))
    elif is_long(question):
        finds += [look(each) for each in questions_in(question)]
    return max(finds, key=lambda each: (each.selection.answerable, each.selection.score))


def _look(
    asked: Asked,
    means: Means,
    query: str,
    *,
    own_names: Collection[str],
    rerankers: Sequence[Rerank],
    vector: Sequence[float] | None = None,
    named: str | None = None,
) -> Found:
    if vector is None:
        with means.steps.step("embed"):
            vector = means.embedder.embed_query(query)
    result = rerank(_retrieve(asked, means, query, vector), query, means)
    for reorder in rerankers:
        result = reorder(result, means)
    with means.steps.step("select"):
        gate = asked.assistant.refusal_gate
        decision = decide(result, asked=asking_part(named or query), gate=gate, own_names=own_names)
        engine = means.engine
        most = engine.info().max_model_len // QUOTED_PART
        quotes = fitting_quotes(decision.selection.quotes, count_tokens=engine.count_tokens, most=most)
        return Found(query, result, replace(decision.selection, quotes=quotes), decision.verdict)


def _retrieve(asked: Asked, means: Means, query: str, vector: Sequence[float]) -> RetrievalResult:
    """The search, more of it where a reranker chooses; again when passages that it found had to get their vectors first."""
    look = partial(search, tenant_id=asked.tenant_id, query=query, query_vector=vector, language=asked.language)
    if means.reranker is not None:
        look = partial(look, limit=POOL_LIMIT, other_language_slots=POOL_OTHER_LANGUAGE_SLOTS)
    with means.steps.step("retrieve"):
        result = look()
    if all(candidate.vector is not None for candidate in result.own_language):
        return result
    with means.steps.step("index"):
        has_more = embed_found(result, tenant_id=asked.tenant_id, embedder=means.embedder)
    if has_more:
        with means.steps.step("retrieve"):
            result = look()
    return result
