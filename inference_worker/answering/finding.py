"""Looking in the articles: what one question finds, what would be quoted from it, and what of it that does not speak of."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial

from conversations.models import Author, Message
from conversations.small_talk import small_talk
from inference_worker.answering.embedding import embed_found
from inference_worker.answering.follow_up import with_predecessor
from inference_worker.answering.means import Means
from inference_worker.answering.reranking import rerank
from inference_worker.answering.results import Asked, Found
from knowledge.quoting.codes import codes_in
from knowledge.quoting.deciding import decide
from knowledge.quoting.questions import asking_part, is_long, questions_in
from knowledge.quoting.selection import fitting_quotes
from knowledge.search.retrieval import RetrievalResult, search
from knowledge.search.terms import known_share

# Quotes may take this part of the context window: the answer gets twice their tokens, and the prompt has room beside it.
QUOTED_PART = 4

Rerank = Callable[[RetrievalResult, Means], RetrievalResult]


def earlier_questions(history: Sequence[Message]) -> list[str]:
    """What the customer asked before, the oldest first; a greeting is no question."""
    bodies = (message.body for message in history if message.author == Author.CUSTOMER)
    return [body for body in bodies if small_talk(body) is None]


def find(
    asked: Asked,
    means: Means,
    *,
    vector: Sequence[float] | None = None,
    own_names: Collection[str] = (),
    rerankers: Sequence[Rerank] = (),
) -> Found:
    """Search for the question; a follow-up also with its predecessor's words, a mail also with its questions alone.

    The better find wins. `vector` is the question's when it has been computed before, `own_names` are the company's.
    """
    question = asked.query
    look = partial(_look, asked, means, own_names=own_names, rerankers=rerankers)
    finds = [look(question, vector=vector)]
    known = known_share(finds[0].result.terms)
    longer = with_predecessor(question, earlier_questions(asked.history), asked.language, known=known)
    if longer is not None:
        # What it names itself is asked about, not what was named before.
        finds.append(look(longer, named=question if codes_in(question) else longer))
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
    """The search; again when passages that it found had to get their vectors first."""
    look = partial(search, tenant_id=asked.tenant_id, query=query, query_vector=vector, language=asked.language)
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
