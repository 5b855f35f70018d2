"""Search over real rows: whose passages, in which order, in which language, in how many queries."""

from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from knowledge.search.ranking import Hit
from knowledge.search.retrieval import Candidate, search
from knowledge.search.retrievers import RETRIEVERS, Retriever
from knowledge.search.statements import SearchQuery, Select
from tests.factories import make_tenant
from tests.integration.knowledge.articles import EMBEDDER, find, publish, titles

pytestmark = pytest.mark.django_db

RETURNS = "Customers may return unused pots within thirty days."
DELIVERY = "Standard delivery takes three to five working days."
RETURNS_ZH = "未使用的花盆可在三十天内退货。"

# The scope's savepoint and setting take four; statistics, lists, passages, the sentences' stems.
ENGLISH_QUERIES = 8
CHINESE_QUERIES = 7


def ranks(candidate: Candidate) -> dict[str, int]:
    """The places of a passage by the names of what ranked it."""
    return {name: score.rank for name, score in candidate.scores.items()}


def test_search_finds_only_the_tenants_own_passages() -> None:
    tenant, other = make_tenant(), make_tenant()
    publish(tenant, "Delivery", DELIVERY)
    publish(other, "Returns", RETURNS)
    assert titles(find(tenant, RETURNS)) == ["Delivery"]
    assert titles(find(tenant, "unused pots", by_meaning=False)) == []
    assert titles(find(other, RETURNS)) == ["Returns"]


def test_the_right_passage_comes_first_by_both_lists() -> None:
    tenant = make_tenant()
    publish(tenant, "Delivery", DELIVERY)
    publish(tenant, "Returns", RETURNS)
    best, second = find(tenant, "Within how many days may I return unused pots?").candidates
    assert (best.title, ranks(best)) == ("Returns", {"dense": 1, "lexical": 1, "fused": 1})
    assert (second.title, second.scores["fused"].rank) == ("Delivery", 2)


def test_without_a_vector_words_decide() -> None:
    tenant = make_tenant()
    publish(tenant, "Delivery", DELIVERY)
    publish(tenant, "Returns", RETURNS)
    (best,) = find(tenant, "returning pots", by_meaning=False).candidates
    assert (best.title, ranks(best)) == ("Returns", {"lexical": 1, "fused": 1})


def test_a_chinese_question_is_found_by_its_characters() -> None:
    tenant = make_tenant()
    publish(tenant, "退货", RETURNS_ZH, language="zh")
    publish(tenant, "配送", "标准配送需要三到五个工作日。", language="zh")
    result = find(tenant, "花盆可以退货吗？", by_meaning=False)
    assert (result.language, titles(result)) == ("zh", ["退货"])


def test_the_other_language_keeps_its_slots() -> None:
    tenant = make_tenant()
    for number in range(10):
        publish(tenant, f"Returns {number}", f"{RETURNS} {number}")
    publish(tenant, "退货", RETURNS_ZH, language="zh")
    result = find(tenant, "Can I return pots?")
    assert [candidate.title for candidate in result.other_language] == ["退货"]
    assert len(result.own_language) == 8


def test_sentence_vectors_belong_to_their_sentences() -> None:
    tenant = make_tenant()
    publish(tenant, "Returns", f"{RETURNS} {DELIVERY}")
    (candidate,) = find(tenant, "return pots").candidates
    assert candidate.compared == (RETURNS, DELIVERY)
    assert candidate.sentence_vectors is not None
    expected = EMBEDDER.embed_passages([f"Returns: {sentence}" for sentence in candidate.compared])
    for row, vector in zip(candidate.sentence_vectors, expected, strict=True):
        assert row == pytest.approx(vector, abs=1e-3)


@pytest.mark.parametrize("query", ["", "???", "'; DROP TABLE knowledge_chunk; --", "a" * 5_000, "\\ & | ! ( ) : * <->"])
def test_a_strange_query_finds_without_an_error(query: str) -> None:
    tenant = make_tenant()
    publish(tenant, "Returns", RETURNS)
    assert titles(find(tenant, query)) == ["Returns"]


@pytest.mark.parametrize("articles", [1, 3])
def test_search_takes_the_same_queries_for_any_number_of_articles(
    articles: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    tenant = make_tenant()
    for number in range(articles):
        publish(tenant, f"Returns {number}", RETURNS)
        publish(tenant, f"退货 {number}", RETURNS_ZH, language="zh")
    with django_assert_num_queries(ENGLISH_QUERIES):
        find(tenant, "Can I return pots?")
    with django_assert_num_queries(CHINESE_QUERIES):
        find(tenant, "花盆可以退货吗？")


def test_a_further_retriever_is_one_entry_and_takes_no_further_query(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    tenant = make_tenant()
    publish(tenant, "Delivery", DELIVERY)
    publish(tenant, "Returns", RETURNS)
    newest = Retriever("newest", lambda query: Select("extract(epoch from now())", "language = %(language)s"))
    with django_assert_num_queries(ENGLISH_QUERIES):
        found = search(
            tenant_id=tenant.id, query="return pots", query_vector=None, retrievers=(*RETRIEVERS, newest)
        ).candidates
    assert [(each.title, set(each.scores)) for each in found] == [
        ("Returns", {"lexical", "newest", "fused"}),
        ("Delivery", {"newest", "fused"}),
    ]


def test_a_retriever_may_bring_hits_from_elsewhere() -> None:
    tenant = make_tenant()
    publish(tenant, "Delivery", DELIVERY)
    publish(tenant, "Returns", RETURNS)
    delivery = next(each for each in find(tenant, DELIVERY).candidates if each.title == "Delivery")

    def pinned(query: SearchQuery) -> list[Hit]:
        return [Hit(delivery.chunk_id, 1.0)]

    found = search(tenant_id=tenant.id, query="nothing", query_vector=None, retrievers=(Retriever("pinned", pinned),))
    assert [(each.title, ranks(each)) for each in found.candidates] == [("Delivery", {"pinned": 1, "fused": 1})]
