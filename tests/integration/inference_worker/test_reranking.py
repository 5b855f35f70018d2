"""The reranker takes part in an answer and leaves its scores in the trace; without one everything is as before."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.utils import timezone, translation
from prometheus_client import REGISTRY

from conversations.models import AnswerStyle, Message
from conversations.replies import claim_reply
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from inference_worker.answering.cache import cache_query
from inference_worker.answering.endings import Watch
from inference_worker.answering.means import AnswerSettings, Means
from inference_worker.answering.pipeline import read_question, write
from inference_worker.answering.reply_stream import ReplyStream
from inference_worker.answering.steps import Steps
from inference_worker.answering.stopping import StopSignal
from inference_worker.engine.contract import Reranker
from inference_worker.engine.scripted import ScriptedReranker
from inference_worker.loading import load_reranker
from inference_worker.runtime import Runtime
from tests.integration.inference_worker.conftest import publish
from tests.integration.inference_worker.test_answering import ANSWER, QUESTION
from tests.integration.inference_worker.test_further_stages import queued, steps_of
from tracing.content import TraceContent
from tracing.facts import engine_facts, features, stage_facts
from tracing.models import Trace
from tracing.opening import content_of
from tracing.report_passages import searches_of
from tracing.words import search_word, step_word

pytestmark = pytest.mark.django_db(transaction=True)


def means(worker: Runtime, reranker: Reranker | None) -> Means:
    return Means(
        model=worker.host,
        embedder=worker.embedder,
        reranker=reranker,
        settings=AnswerSettings(cache_seconds=60, secret_key=b"a key of a test"),
        steps=Steps(),
        stream=None,
        watch=Watch(stop=StopSignal(), deadline_at=timezone.now() + timedelta(seconds=60), is_stopping=lambda: False),
    )


def answered(
    worker: Runtime, shop: Tenant, reranker: Reranker | None, question: str = QUESTION
) -> tuple[Message, TraceContent]:
    """The stored answer to a question and the content of its trace."""
    reply = queued(shop, question)
    claimed = claim_reply(tenant_id=shop.id, reply_id=reply.id, worker="a test")
    assert claimed is not None
    stream = ReplyStream(
        tenant_id=shop.id, conversation_id=reply.conversation_id, reply_id=reply.id, attempt=1, interval=0.0
    )
    settings = AnswerSettings(cache_seconds=0, secret_key=b"a key of a test")
    write(claimed, replace(means(worker, reranker), stream=stream, settings=settings))
    with tenant_atomic(shop.id):
        trace = Trace.objects.select_related("reply__answer").get(reply=reply)
        message = trace.reply.answer
        assert message is not None
        return message, content_of(trace)


def count(name: str) -> float:
    return REGISTRY.get_sample_value(name) or 0.0


def test_the_workers_own_answers_are_reranked(worker: Runtime) -> None:
    assert isinstance(worker.reranker, ScriptedReranker)
    assert worker.status().reranker == "scripted 1"


def test_the_scores_stand_in_the_trace_and_on_the_report(worker: Runtime, shop: Tenant) -> None:
    seconds = count("glassdesk_rerank_seconds_count")
    message, content = answered(worker, shop, ScriptedReranker())
    assert ANSWER in message.body
    assert count("glassdesk_rerank_seconds_count") == seconds + 1
    assert steps_of(content)[:4] == ["embed", "retrieve", "rerank", "select"]
    assert content.reranker == {"model": "scripted", "revision": "1"}
    best = max(content.candidates, key=lambda each: each.scores["rerank"].score)
    assert ANSWER in best.text
    assert sorted(each.scores["rerank"].rank for each in content.candidates) == [1, 2, 3]
    assert content.selection is not None
    relevance = content.selection.features["relevance"]
    assert -4.0 <= relevance <= best.scores["rerank"].score
    assert content.selection.features["answers"] == relevance - 1.0
    assert [name for name, _ in features(content)][-2:] == ["relevance", "answers"]
    assert (searches_of(content.candidates)[-2:], search_word("rerank")) == (["rerank", "fused"], "By reranker")
    assert ("Reranker", "scripted") in engine_facts(content)
    with translation.override("zh-hans"):
        assert ("重排模型", "scripted") in engine_facts(content)
        assert (search_word("rerank"), step_word("rerank")) == ("重排得分", "重排最相关的句子")


def test_without_a_reranker_an_answer_is_as_it_was_and_says_nothing_of_one(worker: Runtime, shop: Tenant) -> None:
    with_one, content = answered(worker, shop, ScriptedReranker())
    without, plain = answered(worker, shop, None)
    assert (without.body, without.sources) == (with_one.body, with_one.sources)
    assert steps_of(plain)[:3] == ["embed", "retrieve", "select"]
    assert (plain.reranker, plain.stages) == (None, ())
    assert [each.scores.keys() & {"rerank"} for each in plain.candidates] == [set()] * len(plain.candidates)
    assert plain.selection is not None and not {"relevance", "answers"} & plain.selection.features.keys()
    assert [name for name, _ in engine_facts(plain) if "Reranker" in name] == []
    assert [each.chunk for each in plain.candidates] == [each.chunk for each in content.candidates]


def test_when_it_fails_the_question_is_answered_without_it(worker: Runtime, shop: Tenant) -> None:
    failures = count("glassdesk_rerank_failures_total")
    broken = ScriptedReranker()
    broken.error = RuntimeError("out of memory")
    message, content = answered(worker, shop, broken)
    assert ANSWER in message.body
    assert [(each.stage, each.verdict) for each in content.stages] == [("rerank", "failed")]
    assert stage_facts(content) == [("Reranking the best sentences", "failed")]
    assert count("glassdesk_rerank_failures_total") == failures + 1
    assert not any("rerank" in each.scores for each in content.candidates)


def test_the_other_language_is_read_with_the_questions_own(worker: Runtime, shop: Tenant) -> None:
    publish(
        shop,
        "配送与退货",
        "我们在工作日发货。\n\n## 配送时间\n\n标准配送需要三到五个工作日。快递 express 需要一个工作日。",
        "zh",
    )
    reranker = ScriptedReranker()
    _, content = answered(worker, shop, reranker)
    ranks = sorted(each.scores["rerank"].rank for each in content.candidates if each.is_other_language)
    assert ranks and ranks == list(range(1, len(ranks) + 1))
    answered(worker, shop, reranker, question="标准配送需要几天？")
    assert reranker.questions == [QUESTION, "标准配送需要几天？"]


def test_the_cache_tells_answers_of_different_rerankers_apart(worker: Runtime, shop: Tenant) -> None:
    reply = queued(shop, QUESTION)
    claimed = claim_reply(tenant_id=shop.id, reply_id=reply.id, worker="a test")
    assert claimed is not None
    asked, own = read_question(claimed), means(worker, None)

    def digests(reranker: dict[str, str] | None) -> tuple[str, str]:
        query = cache_query(
            asked,
            style=AnswerStyle.QUOTE,
            engine=own.engine.info(),
            embedder=own.embedder.info(),
            reranker=reranker,
            settings=own.settings,
        )
        assert query is not None
        return query.exact, query.group

    rerankers = [None, {"model": "relevance", "revision": "1"}, {"model": "relevance", "revision": "2"}]
    found = [digests(each) for each in rerankers]
    assert len({exact for exact, _ in found}) == len({group for _, group in found}) == 3
    assert digests(None) == found[0]


def test_the_setting_decides_which_is_loaded(settings: LazySettings) -> None:
    settings.ENGINE, settings.RERANKER = "scripted", "packaged"
    assert isinstance(load_reranker(), ScriptedReranker)
    settings.RERANKER = "off"
    assert load_reranker() is None
