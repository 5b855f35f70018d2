"""Cached answers: when they are used, when they must not be, and that no tenant gets another's."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import Any

import pytest
from django.conf import LazySettings

from conversations.admission import read_queue
from conversations.domain import begin_visit
from conversations.inbound import from_visitor
from conversations.intake import receive
from conversations.models import Assistant, Conversation, Message, Reply, ReplyStatus, Visitor
from conversations.parameters import RequestParameters
from conversations.replies import stop_reply
from helpdesk.streams.writer import client
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from inference_worker.answering import repeating
from inference_worker.engine.scripted import ScriptedEngine
from inference_worker.runtime import Runtime
from knowledge.cached_answers import answer_index
from knowledge.cached_answers.answer_index import Pointer
from knowledge.domain import archive_article, restore_article
from knowledge.models import Article
from knowledge.state import set_similarity
from tests.factories import make_tenant
from tests.integration.inference_worker.conftest import DELIVERY, GATE, publish, wait_for
from tracing.erase import erase_customer
from tracing.models import AnalysisJob, Trace
from tracing.opening import content_of
from tracing.verify import verify_chain

QUESTION = "How many working days does express delivery take?"
SAME = "  how many working days does Express delivery take ?!"
SIMILAR = "Could you please tell me how many working days express delivery takes?"
OTHER = "How many working days does standard delivery take?"
ANSWER = "Express delivery takes one working day and costs nine euros."


@pytest.fixture(autouse=True)
def cache_on(settings: LazySettings) -> None:
    settings.ANSWER_CACHE_SECONDS = 60


@pytest.fixture(autouse=True)
def warm(engine: ScriptedEngine) -> ScriptedEngine:
    """The engine without the requests of earlier tests."""
    return engine


@dataclass(frozen=True)
class Answered:
    """A finished reply with its message and trace; both None when it failed."""

    reply: Reply
    message: Message | None
    trace: Trace | None

    @property
    def cache(self) -> tuple[str, str]:
        assert self.message is not None and self.trace is not None
        return self.message.cache, self.trace.cache


def ask(
    runtime: Runtime,
    tenant: Tenant,
    body: str,
    *,
    visitor_id: uuid.UUID | None = None,
    language: str = "en",
    stopped: bool = False,
    **parameters: Any,
) -> Answered:
    visitor_id = visitor_id or begin_visit(tenant.id)
    asked = replace(
        from_visitor(tenant_id=tenant.id, visitor_id=visitor_id, client_id=uuid.uuid4(), body=body, language=language),
        parameters=RequestParameters(**parameters),
    )
    queue = read_queue()
    # In one transaction: no worker begins what is to be stopped at once.
    with tenant_atomic(tenant.id):
        posted = receive(asked, queue=queue)
        assert posted.reply is not None
        if stopped:
            stop_reply(tenant_id=tenant.id, conversation_id=posted.conversation.id, reply_id=posted.reply.id)
    return finished(runtime, tenant, posted.reply.id)


def finished(runtime: Runtime, tenant: Tenant, reply_id: uuid.UUID) -> Answered:
    def read() -> Reply:
        with tenant_atomic(tenant.id):
            reply: Reply = Reply.objects.select_related("answer").get(id=reply_id)
            return reply

    wait_for(lambda: read().status in {ReplyStatus.DONE, ReplyStatus.FAILED})
    # An answer is kept for others after its commit.
    wait_for(lambda: runtime.is_idle)
    with tenant_atomic(tenant.id):
        trace = Trace.objects.filter(reply_id=reply_id).select_related("key").first()
    return Answered(read(), read().answer, trace)


def index_keys(tenant: Tenant) -> list[bytes]:
    return sorted(client().scan_iter(f"glassdesk:answers:{tenant.id}:*"))


def test_the_same_question_is_answered_again_without_the_engine(
    worker: Runtime, shop: Tenant, engine: ScriptedEngine
) -> None:
    first = ask(worker, shop, QUESTION)
    requests = len(engine.requests)
    again = ask(worker, shop, SAME)
    assert (first.cache, again.cache) == (("", ""), ("exact", "exact"))
    assert len(engine.requests) == requests
    assert first.message is not None and again.message is not None
    assert ANSWER in first.message.body
    for name in ("body", "sources", "confidence_band", "language", "outcome"):
        assert getattr(again.message, name) == getattr(first.message, name), name


def test_the_trace_of_a_repeated_answer_is_its_own_and_names_the_original(worker: Runtime, shop: Tenant) -> None:
    first, again = ask(worker, shop, QUESTION), ask(worker, shop, SAME)
    assert first.trace is not None and again.trace is not None
    with tenant_atomic(shop.id):
        content, original = content_of(again.trace), content_of(first.trace)
        assert verify_chain(None).is_sound
        assert not AnalysisJob.objects.filter(trace=again.trace).exists()
    assert (again.trace.cached_from, again.trace.format) == (first.trace.id, 4)
    assert again.trace.saved_tokens == first.trace.prompt_tokens + first.trace.answer_tokens > 0
    assert (again.trace.prompt_tokens, again.trace.answer_tokens, again.trace.model) == (0, 0, "")
    assert content.cached is not None
    assert (content.cached.trace, content.cached.reply) == (str(first.trace.id), str(first.reply.id))
    assert (content.cached.kind, content.cached.similarity) == ("exact", 1.0)
    assert content.question == SAME.strip()
    assert content.confidence == original.confidence
    assert (content.tokens, content.prompt, content.candidates) == ((), None, ())
    assert [step["name"] for step in again.trace.steps] == ["cache", "repeat", "store"]


def test_a_cached_answer_is_used_for_other_words_when_only_small_words_differ(worker: Runtime, shop: Tenant) -> None:
    with tenant_atomic(shop.id):
        set_similarity({"model": "scripted", "en": 0.5, "zh": None})
    first = ask(worker, shop, QUESTION)
    similar, other = ask(worker, shop, SIMILAR), ask(worker, shop, OTHER)
    assert (similar.cache, other.cache) == (("semantic", "semantic"), ("", ""))
    assert similar.trace is not None and first.trace is not None
    assert similar.trace.cached_from == first.trace.id
    with tenant_atomic(shop.id):
        cached = content_of(similar.trace).cached
    assert cached is not None and 0.5 <= cached.similarity < 1
    assert [step["name"] for step in similar.trace.steps] == ["cache", "embed", "cache_similar", "repeat", "store"]


def test_without_a_measured_similarity_only_the_same_question_counts(worker: Runtime, shop: Tenant) -> None:
    ask(worker, shop, QUESTION)
    assert ask(worker, shop, SIMILAR).cache == ("", "")


def test_a_repeated_answer_is_the_original_of_none(worker: Runtime, shop: Tenant) -> None:
    first, again, third = (ask(worker, shop, QUESTION) for _ in range(3))
    assert first.trace is not None and third.trace is not None
    assert (again.cache[0], third.trace.cached_from) == ("exact", first.trace.id)


def test_publishing_and_archiving_empty_the_cache(worker: Runtime, shop: Tenant) -> None:
    ask(worker, shop, QUESTION)
    assert index_keys(shop)
    publish(shop, "Parking", "Customers park behind the shop.")
    assert index_keys(shop) == []
    assert ask(worker, shop, QUESTION).cache == ("", "")
    assert ask(worker, shop, QUESTION).cache == ("exact", "exact")
    with tenant_atomic(shop.id):
        parking = Article.objects.get(title="Parking")
    archive_article(tenant_id=shop.id, article_id=parking.id)
    assert index_keys(shop) == []
    assert ask(worker, shop, QUESTION).cache == ("", "")


def test_an_answer_whose_article_came_back_after_a_pause_is_written_anew(worker: Runtime, shop: Tenant) -> None:
    ask(worker, shop, QUESTION)
    with tenant_atomic(shop.id):
        article = Article.objects.get()
    archive_article(tenant_id=shop.id, article_id=article.id)
    restore_article(tenant_id=shop.id, article_id=article.id)
    assert ask(worker, shop, QUESTION).cache == ("", "")


def test_a_cached_answer_is_not_used_when_its_article_is_gone_even_if_the_index_says_so(
    worker: Runtime, shop: Tenant
) -> None:
    ask(worker, shop, QUESTION)
    with tenant_atomic(shop.id):
        # Past the domain's functions: neither the version grows nor is the index emptied.
        Article.objects.update(status="archived")
    assert ask(worker, shop, QUESTION).cache == ("", "")


@pytest.mark.parametrize(
    "parameters", [{"use_cache": False}, {"top_logprobs": 2}, {"instructions": "Be brief."}, {"max_tokens": 64}]
)
def test_a_request_that_asks_for_something_else_gets_an_answer_of_its_own(
    worker: Runtime, shop: Tenant, parameters: dict[str, Any]
) -> None:
    ask(worker, shop, QUESTION)
    assert ask(worker, shop, QUESTION, **parameters).cache == ("", "")


def test_a_bypassed_answer_is_not_kept_either(worker: Runtime, shop: Tenant) -> None:
    ask(worker, shop, QUESTION, use_cache=False)
    assert index_keys(shop) == []


def test_a_refusal_is_never_kept(worker: Runtime, shop: Tenant) -> None:
    for _ in range(2):
        refused = ask(worker, shop, "Who won the football world cup in 1998?")
        assert refused.message is not None
        assert (refused.message.outcome, refused.cache) == ("refused", ("", ""))
    assert index_keys(shop) == []


def test_a_follow_up_is_neither_answered_from_the_cache_nor_kept(worker: Runtime, shop: Tenant) -> None:
    ask(worker, shop, QUESTION)
    visitor = begin_visit(shop.id)
    ask(worker, shop, "Within how many days may customers return unused pots?", visitor_id=visitor)
    kept = index_keys(shop)
    assert ask(worker, shop, QUESTION, visitor_id=visitor).cache == ("", "")
    assert index_keys(shop) == kept


def test_what_looks_personal_is_neither_answered_from_the_cache_nor_kept(worker: Runtime, shop: Tenant) -> None:
    for _ in range(2):
        assert ask(worker, shop, f"{QUESTION} I am ana@example.com").cache == ("", "")
    assert index_keys(shop) == []


def test_another_setting_of_the_assistant_begins_anew(worker: Runtime, shop: Tenant) -> None:
    ask(worker, shop, QUESTION)
    with tenant_atomic(shop.id):
        Assistant.objects.update(instructions="Be kind.")
    assert ask(worker, shop, QUESTION).cache == ("", "")


def test_a_sampled_answer_is_never_kept(worker: Runtime, shop: Tenant, engine: ScriptedEngine) -> None:
    engine.texts[:] = [ANSWER]
    with tenant_atomic(shop.id):
        Assistant.objects.update(style="generate", temperature=0.7)
    for _ in range(2):
        assert ask(worker, shop, QUESTION).cache == ("", "")
    assert index_keys(shop) == []


def test_an_erased_customer_s_answer_is_given_to_nobody(worker: Runtime, shop: Tenant) -> None:
    first = ask(worker, shop, QUESTION)
    kept = {key: client().dump(key) for key in index_keys(shop)}
    with tenant_atomic(shop.id):
        erase_customer(Visitor.objects.get(conversations__id=first.reply.conversation_id))
    assert index_keys(shop) == []
    for key, value in kept.items():
        client().restore(key, 60_000, value)
    assert ask(worker, shop, QUESTION).cache == ("", "")


def test_an_answer_that_retention_deleted_is_given_to_nobody(worker: Runtime, shop: Tenant) -> None:
    first = ask(worker, shop, QUESTION)
    assert first.trace is not None
    with tenant_atomic(shop.id):
        Trace.objects.all().delete()
    assert ask(worker, shop, QUESTION).cache == ("", "")


def test_stopping_a_repeated_answer_keeps_what_was_shown(
    worker: Runtime, shop: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = ask(worker, shop, QUESTION).message
    assert whole is not None
    monkeypatch.setattr(repeating, "PAUSE_SECONDS", 0.25)
    visitor = begin_visit(shop.id)
    posted = receive(
        from_visitor(tenant_id=shop.id, visitor_id=visitor, client_id=uuid.uuid4(), body=QUESTION, language="en")
    )
    assert posted.reply is not None
    stream = f"*{posted.conversation.id}*"
    wait_for(lambda: any(b"delta" in b"".join(entry.values()) for key in client().scan_iter(stream)
                         for _, entry in client().xrange(key)))  # fmt: skip
    stop_reply(tenant_id=shop.id, conversation_id=posted.conversation.id, reply_id=posted.reply.id)
    stopped = finished(worker, shop, posted.reply.id)
    assert stopped.message is not None and stopped.trace is not None
    assert (stopped.message.outcome, stopped.trace.finish_reason, stopped.cache[1]) == ("stopped", "abort", "exact")
    assert 0 < len(stopped.message.body) < len(whole.body)
    assert whole.body.startswith(stopped.message.body)


def test_an_answer_that_was_stopped_at_once_fails_visibly(worker: Runtime, shop: Tenant) -> None:
    ask(worker, shop, QUESTION)
    stopped = ask(worker, shop, QUESTION, stopped=True)
    assert (stopped.reply.status, stopped.reply.error_code, stopped.message) == (ReplyStatus.FAILED, "stopped", None)


def test_the_same_question_at_another_tenant_is_answered_anew(worker: Runtime, shop: Tenant) -> None:
    other = another_shop()
    ask(worker, shop, QUESTION)
    assert ask(worker, other, QUESTION).cache == ("", "")


def test_a_forged_pointer_to_another_tenant_s_answer_is_a_miss(worker: Runtime, shop: Tenant) -> None:
    secret = ask(worker, shop, QUESTION)
    other = another_shop()
    ask(worker, other, QUESTION)
    assert secret.trace is not None and secret.message is not None
    forged = Pointer(secret.trace.id, secret.message.id)
    digests = [key.decode().rsplit(":", 1)[1] for key in index_keys(other) if b":exact:" in key]
    for digest in digests:
        answer_index.remember(other.id, forged, exact=digest, group=digest, vector=None, seconds=60)
    assert [answer_index.same(other.id, digest) for digest in digests] == [forged]
    assert ask(worker, other, QUESTION).cache == ("", "")


def test_a_pointer_to_the_answer_of_another_question_is_a_miss(worker: Runtime, shop: Tenant) -> None:
    other_answer = ask(worker, shop, OTHER)
    before = index_keys(shop)
    ask(worker, shop, QUESTION)
    assert other_answer.trace is not None and other_answer.message is not None
    (key,) = set(index_keys(shop)) - set(before)
    digest = key.decode().rsplit(":", 1)[1]
    wrong = Pointer(other_answer.trace.id, other_answer.message.id)
    answer_index.remember(shop.id, wrong, exact=digest, group=digest, vector=None, seconds=60)
    assert ask(worker, shop, QUESTION).cache == ("", "")


def test_nothing_in_the_index_is_readable(worker: Runtime, shop: Tenant) -> None:
    with tenant_atomic(shop.id):
        set_similarity({"model": "scripted", "en": 0.5, "zh": None})
    ask(worker, shop, QUESTION)
    keys = index_keys(shop)
    assert len(keys) == 2
    raw = b"".join(key + (client().dump(key) or b"") for key in keys).lower()
    for word in ("express", "delivery", "working", "days", "euros"):
        assert word.encode() not in raw


def test_with_the_cache_off_nothing_is_kept(worker: Runtime, shop: Tenant, settings: LazySettings) -> None:
    settings.ANSWER_CACHE_SECONDS = 0
    for _ in range(2):
        assert ask(worker, shop, QUESTION).cache == ("", "")
    assert index_keys(shop) == []


def test_a_conversation_keeps_its_one_channel_in_the_trace(worker: Runtime, shop: Tenant) -> None:
    first = ask(worker, shop, QUESTION)
    with tenant_atomic(shop.id):
        channel = Conversation.objects.get(id=first.reply.conversation_id).channel
    assert first.trace is not None
    assert (first.trace.channel, channel) == ("widget", "widget")


def another_shop() -> Tenant:
    tenant = make_tenant(name="Mossgate")
    with tenant_atomic(tenant.id):
        Assistant.objects.update(refusal_gate=GATE)
    publish(tenant, "Delivery and returns", DELIVERY)
    return tenant
