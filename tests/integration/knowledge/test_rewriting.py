"""Articles of an older release are cut by the rules of this one, behind the running desk."""

from __future__ import annotations

import pytest
from django.core.cache import cache

from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from inference_worker.answering.embedding import embed_version
from knowledge import passages, rewriting, tasks
from knowledge.chunking.chunks import TEXT_VERSION
from knowledge.errors import CannotRead
from knowledge.models import Article, ArticleVersion, Chunk
from knowledge.quoting.selection import select_quotes
from knowledge.state import current_state
from tests.factories import make_tenant
from tests.integration.knowledge.articles import EMBEDDER, find, publish

pytestmark = pytest.mark.django_db(transaction=True)

PAIR = "**Q: Can I pay with a voucher?**\n\nA: Yes, with two of them.\n"


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


def age(tenant: Tenant, article: Article) -> None:
    """Make the article's passages those of the first rules: each sentence alone, the question too. The desk is updated."""
    cache.delete(tasks.RULES_NOTED)
    with tenant_atomic(tenant.id):
        for chunk in Chunk.objects.filter(article=article):
            spans = [[0, chunk.text.index("\n")], [chunk.text.index("\n") + 1, len(chunk.text)]]
            vectors = chunk.sentence_embeddings
            Chunk.objects.filter(pk=chunk.pk).update(
                sentences=spans, text_version=1, sentence_embeddings=bytes(vectors or b"") * 2
            )


def test_passages_of_older_rules_are_written_anew_and_embedded_again(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    article = publish(tenant, "Paying", PAIR)
    age(tenant, article)
    assert any("voucher?" in quote.text for quote in select_quotes(find(tenant, "Can I pay with a voucher?")).quotes)
    asked = []
    monkeypatch.setattr(tasks, "enqueue_embedding", lambda **which: asked.append(which))
    with tenant_atomic(tenant.id):
        before = current_state().version
    assert tasks.rewrite_passages() == 1
    assert asked == [{"tenant_id": tenant.id, "version_id": article.published_version_id}]
    embed_version(tenant.id, asked[0]["version_id"], EMBEDDER)
    with tenant_atomic(tenant.id):
        assert current_state().version > before
        assert set(Chunk.objects.values_list("text_version", flat=True)) == {TEXT_VERSION}
    (quote,) = select_quotes(find(tenant, "Can I pay with a voucher?")).quotes
    assert (quote.text, quote.context) == ("Yes, with two of them.", "Can I pay with a voucher?")
    assert tasks.rewrite_passages() == 0


def test_nothing_is_rewritten_while_passages_wait_for_their_vectors(tenant: Tenant) -> None:
    age(tenant, publish(tenant, "Paying", PAIR))
    waiting = publish(tenant, "Delivery", "Delivery takes two days.", embed=False)
    assert rewriting.rewrite_passages(tenant_id=tenant.id) == []
    embed_version(tenant.id, waiting.published_version_id, EMBEDDER)
    assert len(rewriting.rewrite_passages(tenant_id=tenant.id)) == 1


def test_a_few_articles_are_rewritten_at_a_time(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rewriting, "ARTICLES_AT_ONCE", 1)
    for number in range(3):
        age(tenant, publish(tenant, f"Paying {number}", PAIR))
    assert len(rewriting.rewrite_passages(tenant_id=tenant.id)) == 1


def test_another_tenants_passages_are_left_alone(tenant: Tenant) -> None:
    other = make_tenant("other-shop")
    age(other, publish(other, "Paying", PAIR))
    assert rewriting.rewrite_passages(tenant_id=tenant.id) == []


def test_a_text_that_cannot_be_cut_keeps_its_passages_and_stops_no_other(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    unreadable, readable = publish(tenant, "Paying", PAIR), publish(tenant, "Vouchers", PAIR)
    for article in (unreadable, readable):
        age(tenant, article)

    def split(article: Article, version: ArticleVersion) -> int:
        if article.pk == unreadable.pk:
            Chunk.objects.filter(article=article).delete()
            raise CannotRead
        return write(article, version)

    write = passages.write_passages
    monkeypatch.setattr(passages, "write_passages", split)
    assert rewriting.rewrite_passages(tenant_id=tenant.id) == [readable.published_version_id]
    with tenant_atomic(tenant.id):
        assert Chunk.objects.filter(article=unreadable, embedding__isnull=False).exists()
        assert not Chunk.objects.filter(text_version__lt=TEXT_VERSION).exists()
