"""The version of a tenant's knowledge, what shares an answer, and the index of earlier answers."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from django.db import connections

from helpdesk.streams.writer import client
from helpdesk.tenants.scope import tenant_atomic
from knowledge.cached_answers import answer_index
from knowledge.cached_answers.answer_index import VECTORS_AT_MOST, Pointer
from knowledge.cached_answers.sharing import SHIPPED, needed_similarity, words_agree
from knowledge.domain import archive_article, publish_article, restore_article, save_article
from knowledge.models import Chunk, KnowledgeState
from knowledge.passages import ChunkEmbedding, store_embeddings
from knowledge.state import current_state, note_change, set_similarity
from tests.factories import make_tenant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tenant():
    return make_tenant()


def version_of(tenant) -> int:
    with tenant_atomic(tenant.id):
        return current_state().version


def publish(tenant, title="Delivery", body="Express delivery costs nine euros.", language="en"):
    version = save_article(tenant_id=tenant.id, title=title, body=body, language=language)
    publish_article(tenant_id=tenant.id, article_id=version.article_id, enqueue=False)
    return version


def test_the_version_grows_with_everything_that_a_search_can_see(tenant):
    seen = [version_of(tenant)]
    version = save_article(tenant_id=tenant.id, title="A", body="Text.", language="en")
    assert version_of(tenant) == seen[0]
    steps = [
        lambda: publish_article(tenant_id=tenant.id, article_id=version.article_id, enqueue=False),
        lambda: embed_all(tenant),
        lambda: archive_article(tenant_id=tenant.id, article_id=version.article_id),
        lambda: restore_article(tenant_id=tenant.id, article_id=version.article_id),
    ]
    for step in steps:
        step()
        seen.append(version_of(tenant))
    assert seen == sorted(set(seen))


def test_what_changes_nothing_leaves_the_version(tenant):
    version = publish(tenant)
    before = version_of(tenant)
    publish_article(tenant_id=tenant.id, article_id=version.article_id, enqueue=False)
    assert version_of(tenant) == before


def test_a_change_that_is_rolled_back_is_none(tenant):
    before = version_of(tenant)
    with pytest.raises(RuntimeError), tenant_atomic(tenant.id):
        note_change()
        raise RuntimeError
    assert version_of(tenant) == before


def test_no_change_is_lost_when_several_come_at_once(tenant):
    def change(_number):
        try:
            with tenant_atomic(tenant.id):
                note_change()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(change, range(12)))
    assert version_of(tenant) == 13
    with tenant_atomic(tenant.id):
        assert KnowledgeState.objects.count() == 1


def test_each_tenant_has_its_own_version(tenant):
    other = make_tenant()
    publish(tenant)
    assert version_of(other) == 1


def test_measured_similarities_hold_for_their_model_and_shipped_ones_for_theirs(tenant):
    with tenant_atomic(tenant.id):
        state = current_state()
        assert needed_similarity(state, language="en", embedder="multilingual-e5-small") == SHIPPED["en"]
        assert needed_similarity(state, language="en", embedder="another") is None
        set_similarity({"model": "another", "en": 0.9, "zh": None})
        state = current_state()
        assert needed_similarity(state, language="en", embedder="another") == 0.9
        assert needed_similarity(state, language="zh", embedder="another") is None
        assert needed_similarity(state, language="zh", embedder="multilingual-e5-small") == SHIPPED["zh"]


@pytest.mark.parametrize(
    ("first", "second", "language", "agree"),
    [
        ("Do you send express parcels?", "Hello, could you send express parcel, please?", "en", True),
        ("Do you deliver to Spain?", "Is delivering to Spain possible?", "en", True),
        ("Do you send express parcels?", "Do you send standard parcels?", "en", False),
        ("How much is delivery?", "How much is express delivery?", "en", False),
        ("加急运费是多少？", "请问加急的运费多少？", "zh", True),
        ("加急运费是多少？", "标准运费是多少？", "zh", False),
        ("运费是多少？", "加急运费是多少？", "zh", False),
    ],
)
def test_both_questions_name_the_same_things(tenant, first, second, language, agree):
    assert words_agree(first, second, language=language) is agree


def test_an_answer_is_found_under_its_digest_and_by_its_vector(tenant):
    first, second = (Pointer(uuid.uuid4(), uuid.uuid4()) for _ in range(2))
    answer_index.remember(tenant.id, first, exact="a", group="g", vector=[1.0, 0.0], seconds=60)
    answer_index.remember(tenant.id, second, exact="b", group="g", vector=[0.6, 0.8], seconds=60)
    assert answer_index.same(tenant.id, "a") == first
    assert answer_index.same(tenant.id, "c") is None
    near = answer_index.alike(tenant.id, "g", [0.8, 0.6], at_least=0.7)
    assert [(each.trace_id, round(each.similarity, 2)) for each in near] == [
        (second.trace_id, 0.96),
        (first.trace_id, 0.8),
    ]
    assert answer_index.alike(tenant.id, "g", [0.8, 0.6], at_least=0.97) == ()
    assert answer_index.alike(tenant.id, "h", [0.8, 0.6], at_least=0.1) == ()
    assert answer_index.alike(tenant.id, "g", [0.8, 0.6, 0.0], at_least=0.1) == ()


def test_the_index_of_one_tenant_is_not_another_s_and_is_emptied_alone(tenant):
    other, pointer = make_tenant(), Pointer(uuid.uuid4(), uuid.uuid4())
    for each in (tenant, other):
        answer_index.remember(each.id, pointer, exact="a", group="g", vector=[1.0], seconds=60)
    answer_index.forget_all(tenant.id)
    assert (answer_index.same(tenant.id, "a"), answer_index.same(other.id, "a")) == (None, pointer)
    assert answer_index.alike(tenant.id, "g", [1.0], at_least=0.5) == ()
    assert client().keys(f"glassdesk:answers:{tenant.id}*") == []


def test_everything_in_the_index_expires(tenant):
    answer_index.remember(
        tenant.id, Pointer(uuid.uuid4(), uuid.uuid4()), exact="a", group="g", vector=[1.0], seconds=50
    )
    keys = client().keys(f"glassdesk:answers:{tenant.id}*")
    assert len(keys) == 3
    assert all(0 < client().ttl(key) <= 50 for key in keys)


def test_an_old_entry_of_a_list_that_lives_on_is_not_found(tenant, monkeypatch):
    pointer = Pointer(uuid.uuid4(), uuid.uuid4())
    answer_index.remember(tenant.id, pointer, exact="a", group="g", vector=[1.0], seconds=60)
    now = answer_index.time.time()
    monkeypatch.setattr(answer_index.time, "time", lambda: now + 61)
    assert answer_index.alike(tenant.id, "g", [1.0], at_least=0.5) == ()
    assert answer_index.same(tenant.id, "a") is None


def test_only_the_newest_vectors_are_kept(tenant):
    for number in range(VECTORS_AT_MOST + 5):
        answer_index.remember(
            tenant.id, Pointer(uuid.uuid4(), uuid.uuid4()), exact=str(number), group="g", vector=[1.0], seconds=60
        )
    assert client().llen(f"glassdesk:answers:{tenant.id}:near:g") == VECTORS_AT_MOST


@pytest.mark.parametrize("broken", [b"", b"short", b"\x00" * 200])
def test_a_broken_entry_is_a_miss(tenant, broken):
    client().set(f"glassdesk:answers:{tenant.id}:exact:a", broken, ex=60)
    client().lpush(f"glassdesk:answers:{tenant.id}:near:g", broken)
    assert answer_index.same(tenant.id, "a") is None
    assert answer_index.alike(tenant.id, "g", [1.0], at_least=0.5) == ()


def test_without_redis_nothing_is_found_and_nothing_breaks(tenant, monkeypatch):
    nobody = redis.Redis.from_url("redis://127.0.0.1:1", socket_connect_timeout=0.2)
    monkeypatch.setattr(answer_index, "client", lambda: nobody)
    pointer = Pointer(uuid.uuid4(), uuid.uuid4())
    answer_index.remember(tenant.id, pointer, exact="a", group="g", vector=[1.0], seconds=60)
    answer_index.forget_all(tenant.id)
    assert answer_index.same(tenant.id, "a") is None
    assert answer_index.alike(tenant.id, "g", [1.0], at_least=0.5) == ()
    assert publish(tenant).number == 1


def embed_all(tenant) -> None:
    with tenant_atomic(tenant.id):
        chunks = list(Chunk.objects.values_list("id", flat=True))
    embeddings = [ChunkEmbedding(chunk, [0.1] * 384, [], 3) for chunk in chunks]
    assert store_embeddings(tenant_id=tenant.id, embeddings=embeddings, embedded_with="test") == len(chunks)
