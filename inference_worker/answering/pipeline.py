"""One answer in stages, in the order in which they run: asked, evidence, plan, draft, checked, stored.

Each stage takes the frozen results of those before it (`results.py`) and the means to work with (`means.py`), where it
leaves its steps. The ways in which an answer may come are the plans:

- small talk, a complaint and the wish for a person get a fixed text;
- a question that was answered before, from the knowledge of now, gets that answer again;
- a short one that means several things as likely is answered by the question which of them;
- a question that the articles do not answer is declined;
- otherwise the engine quotes from them, or writes freely: a sentence is shown when they back it, and where none is, quotes,
  which get a translation beside them where they are in another language than the question's;
- a request that wants no articles is answered by the model alone.

What shall happen besides (a question written anew, a further reranker, a guard before or behind the model, a tool's call) is a
stage of `FurtherStages`: it takes a result, and gives one of the same kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from django.db import connections

from conversations.models import AnswerKind, AnswerStyle, Outcome, Reply, format_of
from conversations.parameters import RequestParameters
from conversations.replies import ClaimedReply, is_stopped
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from inference_worker.answering.cache import cache_query, keep, recall
from inference_worker.answering.choices import clarification
from inference_worker.answering.composing import as_quote, compose, compose_ungrounded, resolve_style
from inference_worker.answering.endings import Stopped
from inference_worker.answering.finding import Rerank, find
from inference_worker.answering.further import NO_FURTHER_STAGES, FurtherStages, through
from inference_worker.answering.generation import generate
from inference_worker.answering.means import Means
from inference_worker.answering.measuring import observe_answer
from inference_worker.answering.parts import what_is_left, what_is_open
from inference_worker.answering.recording import finished
from inference_worker.answering.repeating import repeat
from inference_worker.answering.results import (
    Articles,
    Asked,
    CacheHit,
    CacheQuery,
    Checked,
    Clarify,
    Draft,
    Evidence,
    FixedText,
    Generation,
    NoEvidence,
    Plan,
    Refusal,
    Repetition,
)
from inference_worker.answering.storing import store, store_finished
from inference_worker.answering.translating import translate_quotes
from inference_worker.answering.without_articles import declining, fixed_text, offer_person, wanted
from inference_worker.engine.contract import Reranker
from inference_worker.engine.grammars import require_grammar
from knowledge.queries import is_index_complete
from knowledge.text import detect_language
from tracing.calibrations import in_force
from tracing.content import Checking


def write(claimed: ClaimedReply, means: Means, *, further: FurtherStages = NO_FURTHER_STAGES) -> None:
    """Write and store one answer.

    Raises AnswerEnded, ReplyLost, SealError, EngineError or DatabaseError; nothing is stored then.
    """
    means.watch.check()
    asked = through(further.asked, read_question(claimed), means)
    evidence = through(further.evidence, gather_evidence(asked, means, rerankers=further.rerank), means)
    means.watch.check()
    # Streaming takes seconds: no database connection is held meanwhile.
    connections.close_all()
    plan = through(further.plan, make_plan(asked, evidence, means), means)
    draft = through(further.draft, write_draft(asked, plan, means), means)
    checked = say_what_is_open(asked, evidence, check_draft(asked, plan, draft, means))
    checked = translate_quotes(asked, offer_person(asked, checked), means)
    checked = through(further.checked, checked, means)
    store_answer(claimed.reply, asked, evidence, checked, means)


def read_question(claimed: ClaimedReply) -> Asked:
    """The question with what it is answered by: the language is its own."""
    reply, question = claimed.reply, claimed.question
    claimed_at = reply.claimed_at or reply.queued_at
    return Asked(
        tenant_id=claimed.tenant_id,
        reply_id=reply.id,
        attempt=reply.attempt,
        priority=reply.priority,
        is_unhurried=reply.is_unhurried,
        channel=claimed.conversation.channel,
        asked_at=question.created_at,
        waited_ms=max((claimed_at - question.created_at).total_seconds() * 1000, 0.0),
        question=question.body,
        query=question.body,
        language=detect_language(question.body),
        history=tuple(claimed.history),
        assistant=claimed.conversation.assistant,
        parameters=RequestParameters.from_json(reply.parameters),
    )


def gather_evidence(asked: Asked, means: Means, *, rerankers: Sequence[Rerank] = ()) -> Evidence:
    """Nothing for what needs no article and for the model alone; an earlier answer; or what the articles say."""
    if not asked.parameters.grounded:
        with tenant_atomic(asked.tenant_id):
            _receive_stop(asked, means)
        return NoEvidence()
    intent = wanted(asked)
    if intent is not None:
        return NoEvidence(intent)
    means.stream.phase("searching")
    engine, embedder = means.engine.info(), means.embedder.info()
    style = resolve_style(asked.assistant, engine, asked.language)
    query = cache_query(
        asked,
        style=style,
        engine=engine,
        embedder=embedder,
        reranker=_identity(means.reranker),
        settings=means.settings,
    )
    if query is not None:
        recalled = recall(query, means.embedder, means.steps)
        if recalled.original is not None:
            return CacheHit(recalled.original)
        query = recalled.query
    return _search(asked, style, query, means, rerankers)


def _search(
    asked: Asked, style: AnswerStyle, query: CacheQuery | None, means: Means, rerankers: Sequence[Rerank]
) -> Articles:
    with tenant_atomic(asked.tenant_id):
        calibration = in_force()
        # Before the search: what gets its vectors meanwhile was not seen by it.
        is_complete = is_index_complete()
        _receive_stop(asked, means)
    tenant = Tenant.objects.get(id=asked.tenant_id)
    found = find(
        asked,
        means,
        vector=query.vector if query else None,
        own_names=(tenant.name, tenant.name_zh, tenant.slug),
        rerankers=rerankers,
    )
    return Articles(
        found=found,
        style=style,
        company=tenant.name_in(asked.language),
        embedder=means.embedder.info(),
        reranker=_identity(means.reranker),
        calibration=calibration,
        is_complete=is_complete,
        cache_query=query,
    )


def _identity(reranker: Reranker | None) -> dict[str, str] | None:
    return None if reranker is None else reranker.info()


def _receive_stop(asked: Asked, means: Means) -> None:
    """A stop that was asked for between the claim and the moment from which the signal is received."""
    if is_stopped(asked.reply_id):
        means.watch.stop.set()


def make_plan(asked: Asked, evidence: Evidence, means: Means) -> Plan:
    """The way in which the answer comes; where the engine writes, with its prompt."""
    match evidence:
        case CacheHit():
            return Repetition(evidence.original)
        case Articles() if (question_back := _question_back(asked, evidence)) is not None:
            return question_back
        case Articles() if evidence.found.selection.answerable:
            return _from_articles(asked, evidence, means)
        case Articles():
            return declining(asked, evidence)
        case NoEvidence():
            return _by_itself(asked, means) if evidence.intent is None else fixed_text(asked, evidence.intent)


def _question_back(asked: Asked, evidence: Articles) -> Clarify | None:
    """Once at most: who was just asked which thing is meant gets the best answer that there is."""
    was_asked = bool(asked.history) and asked.history[-1].kind == AnswerKind.CLARIFYING
    return None if was_asked else clarification(asked.question, evidence.found)


def _from_articles(asked: Asked, evidence: Articles, means: Means) -> Generation:
    engine, found = means.engine, evidence.found
    with means.steps.step("prompt"):
        composition = compose(engine, asked, found, style=evidence.style, company=evidence.company)
        prompt = engine.render(composition.prompt.turns)
    return Generation(
        composition=composition,
        prompt=prompt,
        engine=engine.info(),
        quotes=found.selection.quotes,
        own_names=(evidence.company, asked.assistant.name),
    )


def _by_itself(asked: Asked, means: Means) -> Generation:
    """The model alone: nothing is searched, and nothing afterwards says that the answer is right."""
    engine = means.engine
    with means.steps.step("prompt"):
        if asked.parameters.json_schema is not None:
            require_grammar(asked.parameters.json_schema)
        composition = compose_ungrounded(engine, asked)
        prompt = engine.render(composition.prompt.turns)
    return Generation(composition=composition, prompt=prompt, engine=engine.info())


def write_draft(asked: Asked, plan: Plan, means: Means) -> Draft:
    """The words that the plan gives, streamed where they take a while."""
    match plan:
        case FixedText() | Clarify() | Refusal():
            return Draft(text=plan.text)
        case Repetition():
            means.stream.phase("writing", format=plan.original.message.format)
            return repeat(plan.original, means)
        case Generation():
            means.stream.phase("writing", format=format_of(plan.style).value)
            return generate(asked, plan, means)


def check_draft(asked: Asked, plan: Plan, draft: Draft, means: Means) -> Checked:
    """Whether the draft may stand. Where the articles back no sentence of free writing, a quote takes its place.

    From articles, and when stopped, no text is no answer: raises Stopped. The model alone may say nothing.
    """
    quotes = plan.quotes if isinstance(plan, Generation | Clarify) else ()
    checked = Checked(text=draft.text, outcome=_outcome(plan, draft), plan=plan, draft=draft, quotes=quotes)
    if isinstance(plan, Generation) and draft.checking is not None:
        checked = _held_against_articles(asked, plan, checked, draft.checking, means)
    is_written = isinstance(plan, Generation | Repetition)
    if is_written and not checked.text and (asked.parameters.grounded or checked.draft.is_stopped):
        raise Stopped
    return checked


def say_what_is_open(asked: Asked, evidence: Evidence, checked: Checked) -> Checked:
    """What answers some of the questions in a message says which of them it leaves open, and which were not looked at."""
    if not isinstance(evidence, Articles):
        return checked
    is_whole = isinstance(checked.plan, Generation) and checked.outcome is Outcome.ANSWERED
    is_told = is_whole or isinstance(checked.plan, Refusal)
    rest = [
        what_is_open(evidence.found.open_parts, asked.language) if is_whole else "",
        what_is_left(evidence.found.left, asked.language) if is_told else "",
    ]
    return replace(checked, text="\n".join([checked.text, *filter(None, rest)]))


def _outcome(plan: Plan, draft: Draft) -> Outcome:
    if isinstance(plan, Refusal):
        return Outcome.REFUSED
    return Outcome.STOPPED if draft.is_stopped else Outcome.ANSWERED


def _held_against_articles(
    asked: Asked, plan: Generation, checked: Checked, checking: Checking, means: Means
) -> Checked:
    """The sentences that were shown, with what backs them; of a draft that was shown in no part the quotes instead."""
    draft = checked.draft
    if draft.is_stopped or not checking.is_replaced:
        return replace(checked, quotes=draft.quotes, groundedness=checking.groundedness)
    quoting = replace(plan, composition=as_quote(plan.composition, plan.quotes, asked))
    means.stream.phase("writing", format=format_of(quoting.style).value)
    quoted = generate(asked, quoting, means, is_second=True)
    outcome = _outcome(quoting, quoted)
    return replace(checked, text=quoted.text, outcome=outcome, plan=quoting, draft=quoted, withdrawn=draft)


def store_answer(reply: Reply, asked: Asked, evidence: Evidence, checked: Checked, means: Means) -> None:
    """Commit answer and trace together; measure it, and put it into the cache where that is allowed."""
    means.stream.phase("checked")
    done = finished(asked, evidence, checked, means)
    pointer = store(partial(store_finished, reply, asked, done, means))
    observe_answer(asked, evidence, checked, means.steps)
    if isinstance(evidence, Articles) and evidence.cache_query is not None and done.is_complete:
        keep(evidence.cache_query, pointer, seconds=means.settings.cache_seconds)
