"""A stage is added to the pipeline without a change to the others, and is found in the trace."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from conversations.domain import begin_visit
from conversations.models import Assistant, Author, Channel, Conversation, Message, Outcome, Reply
from conversations.replies import claim_reply
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from inference_worker.answering.endings import Watch
from inference_worker.answering.further import FurtherStages
from inference_worker.answering.means import AnswerSettings, Means
from inference_worker.answering.pipeline import write
from inference_worker.answering.reply_stream import ReplyStream
from inference_worker.answering.results import Asked, Checked, Plan, Refusal
from inference_worker.answering.steps import Steps
from inference_worker.answering.stopping import StopSignal
from inference_worker.engine.scripted import ScriptedEngine
from inference_worker.runtime import Runtime
from knowledge.search.ranking import Score
from knowledge.search.retrieval import RetrievalResult
from tests.integration.inference_worker.test_answering import ANSWER, QUESTION
from tracing.content import StageRecord, TraceContent
from tracing.models import Trace
from tracing.opening import content_of

pytestmark = pytest.mark.django_db(transaction=True)


def answered(
    worker: Runtime, shop: Tenant, further: FurtherStages, question: str = QUESTION
) -> tuple[Message, TraceContent]:
    """The stored answer to a question and the content of its trace."""
    reply = queued(shop, question)
    claimed = claim_reply(tenant_id=shop.id, reply_id=reply.id, worker="a test")
    assert claimed is not None
    stream = ReplyStream(
        tenant_id=shop.id, conversation_id=reply.conversation_id, reply_id=reply.id, attempt=1, interval=0.0
    )
    means = Means(
        model=worker.host,
        embedder=worker.embedder,
        settings=AnswerSettings(cache_seconds=0, secret_key=b"a key of a test"),
        steps=Steps(),
        stream=stream,
        watch=Watch(stop=StopSignal(), deadline_at=reply.deadline_at, is_stopping=lambda: False),
    )
    write(claimed, means, further=further)
    with tenant_atomic(shop.id):
        trace = Trace.objects.select_related("reply__answer").get(reply=reply)
        message = trace.reply.answer
        assert message is not None
        return message, content_of(trace)


def queued(shop: Tenant, question: str) -> Reply:
    """A reply that no task was sent for."""
    visitor_id = begin_visit(shop.id)
    with tenant_atomic(shop.id):
        conversation = Conversation.objects.create(
            visitor_id=visitor_id, assistant=Assistant.objects.get(), channel=Channel.API, message_count=1
        )
        message = Message.objects.create(conversation=conversation, position=1, author=Author.CUSTOMER, body=question)
        reply: Reply = Reply.objects.create(
            conversation=conversation, question=message, deadline_at=timezone.now() + timedelta(seconds=60)
        )
        return reply


def steps_of(content: TraceContent) -> list[str]:
    return [step.name for step in content.steps]


def backwards(result: RetrievalResult, means: Means) -> RetrievalResult:
    """A reranker that thinks the last passage the best."""
    with means.steps.step("rerank"):
        turned = tuple(
            replace(each, scores=each.scores | {"reranked": Score(1.0 / rank, rank)})
            for rank, each in enumerate(reversed(result.candidates), 1)
        )
        means.steps.note("rerank", "turned", candidates=float(len(turned)))
    return replace(result, candidates=turned)


def test_a_reranker_orders_what_is_quoted_from_and_its_scores_stand_in_the_trace(worker: Runtime, shop: Tenant) -> None:
    _, plain = answered(worker, shop, FurtherStages())
    _, content = answered(worker, shop, FurtherStages(rerank=(backwards,)))
    assert [each.chunk for each in content.candidates] == [each.chunk for each in reversed(plain.candidates)]
    assert [each.scores["reranked"].rank for each in content.candidates] == [1, 2, 3]
    assert [each.scores["fused"].rank for each in content.candidates] == [3, 2, 1]
    assert steps_of(content)[:4] == ["embed", "retrieve", "rerank", "select"]
    assert content.stages == (StageRecord("rerank", "turned", {"candidates": 3.0}),)


def test_a_guard_before_the_model_declines_without_asking_it(
    worker: Runtime, shop: Tenant, engine: ScriptedEngine
) -> None:
    def guard(plan: Plan, means: Means) -> Plan:
        with means.steps.step("guard"):
            means.steps.note("guard", "blocked", score=0.97)
        assert not isinstance(plan, Refusal)
        return Refusal("This cannot be answered here.", style=plan.style)  # type: ignore[union-attr]

    message, content = answered(worker, shop, FurtherStages(plan=(guard,)))
    assert (message.body, message.outcome, message.sources) == ("This cannot be answered here.", Outcome.REFUSED, [])
    assert engine.requests == []
    assert steps_of(content)[-3:] == ["prompt", "guard", "store"]
    assert content.stages == (StageRecord("guard", "blocked", {"score": 0.97}),)
    assert content.kind == "refusal"


def test_a_guard_behind_the_model_declines_and_the_trace_still_has_what_was_generated(
    worker: Runtime, shop: Tenant
) -> None:
    def guard(checked: Checked, means: Means) -> Checked:
        with means.steps.step("guard"):
            means.steps.note("guard", "withheld")
        return replace(checked, text="Please ask a person.", outcome=Outcome.REFUSED, quotes=())

    message, content = answered(worker, shop, FurtherStages(checked=(guard,)))
    assert (message.body, message.outcome, message.sources) == ("Please ask a person.", Outcome.REFUSED, [])
    assert content.answer == message.body
    assert ANSWER in "".join(token.text for token in content.tokens)
    assert content.stages == (StageRecord("guard", "withheld"),)


def test_a_question_that_was_written_anew_is_searched_for_and_kept_as_it_was_asked(
    worker: Runtime, shop: Tenant
) -> None:
    def rewrite(asked: Asked, means: Means) -> Asked:
        with means.steps.step("rewrite"):
            return replace(asked, query=QUESTION)

    message, content = answered(worker, shop, FurtherStages(asked=(rewrite,)), question="express??")
    assert ANSWER in message.body
    assert (content.question, content.search_query) == ("express??", QUESTION)
    assert steps_of(content)[0] == "rewrite"


@pytest.mark.parametrize("word", ["What the customer said", "", "Blocked"])
def test_what_a_stage_notes_is_no_text(word: str) -> None:
    with pytest.raises(ValueError, match="lower-case"):
        Steps().note("guard", word)
