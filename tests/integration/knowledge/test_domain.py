"""Saving, publishing, archiving and restoring articles, as search sees it."""

from __future__ import annotations

import uuid

import pytest

from helpdesk.errors import Conflict, InvalidInput, NotFound
from helpdesk.tenants.scope import tenant_atomic
from knowledge.domain import (
    MAX_BODY_CHARACTERS,
    archive_article,
    publish_article,
    restore_article,
    restore_version,
    save_article,
)
from knowledge.models import ArticleVersion, Chunk
from tests.factories import make_tenant
from tests.integration.knowledge.articles import find, publish, titles

pytestmark = pytest.mark.django_db

BODY = "Customers may return unused pots within thirty days."


def test_saving_changes_nothing_that_customers_read() -> None:
    tenant = make_tenant()
    save_article(tenant_id=tenant.id, title="Returns", body=BODY, language="en")
    assert titles(find(tenant, "Can I return pots?")) == []


def test_the_same_text_again_makes_no_version() -> None:
    tenant = make_tenant()
    first = save_article(tenant_id=tenant.id, title="Returns", body=BODY, language="en")
    again = save_article(tenant_id=tenant.id, title="Returns", body=BODY, language="en")
    changed = save_article(tenant_id=tenant.id, title="Returns", body=f"{BODY} Really.", language="en")
    assert (again.pk, changed.number, changed.article_id) == (first.pk, 2, first.article_id)


def test_publishing_makes_an_article_searchable_by_its_words_at_once() -> None:
    tenant = make_tenant()
    publish(tenant, "Returns", BODY, embed=False)
    assert titles(find(tenant, "Can I return pots?")) == ["Returns"]


def test_publishing_a_new_version_replaces_the_old_one_in_search() -> None:
    tenant = make_tenant()
    article = publish(tenant, "Returns", BODY)
    save_article(tenant_id=tenant.id, article_id=article.pk, title="Returns", body="Ask for a voucher.", language="en")
    assert titles(find(tenant, "unused pots within thirty days", by_meaning=False)) == ["Returns"]
    publish_article(tenant_id=tenant.id, article_id=article.pk)
    assert titles(find(tenant, "unused pots within thirty days", by_meaning=False)) == []
    assert titles(find(tenant, "voucher", by_meaning=False)) == ["Returns"]


def test_publishing_the_published_version_again_keeps_its_passages() -> None:
    tenant = make_tenant()
    article = publish(tenant, "Returns", BODY)
    with tenant_atomic(tenant.id):
        before = list(Chunk.objects.values_list("id", flat=True))
    publish_article(tenant_id=tenant.id, article_id=article.pk)
    with tenant_atomic(tenant.id):
        assert list(Chunk.objects.values_list("id", flat=True)) == before


def test_an_archived_article_is_gone_at_once_and_comes_back_as_it_was() -> None:
    tenant = make_tenant()
    article = publish(tenant, "Returns", BODY)
    archive_article(tenant_id=tenant.id, article_id=article.pk)
    assert titles(find(tenant, "Can I return pots?")) == []
    restore_article(tenant_id=tenant.id, article_id=article.pk)
    found = find(tenant, "Can I return pots?")
    assert titles(found) == ["Returns"]
    assert found.candidates[0].scores["dense"].rank == 1


def test_an_old_version_comes_back_as_the_newest() -> None:
    tenant = make_tenant()
    first = save_article(tenant_id=tenant.id, title="Returns", body=BODY, language="en")
    save_article(tenant_id=tenant.id, article_id=first.article_id, title="Returns", body="Never.", language="en")
    restored = restore_version(tenant_id=tenant.id, article_id=first.article_id, number=1)
    assert (restored.number, restored.body) == (3, BODY)


def test_a_change_based_on_an_older_version_is_refused() -> None:
    tenant = make_tenant()
    first = save_article(tenant_id=tenant.id, title="Returns", body=BODY, language="en")
    given = {"tenant_id": tenant.id, "article_id": first.article_id, "title": "Returns", "language": "en"}
    save_article(**given, body="Theirs.", based_on=1)
    with pytest.raises(Conflict):
        save_article(**given, body="Mine.", based_on=1)
    with tenant_atomic(tenant.id):
        assert ArticleVersion.objects.count() == 2


@pytest.mark.parametrize(
    ("title", "body", "language"),
    [
        ("", BODY, "en"),
        ("Returns", " \n ", "en"),
        ("Returns", BODY, "fr"),
        ("x" * 301, BODY, "en"),
        ("Returns", "x" * (MAX_BODY_CHARACTERS + 1), "en"),
    ],
)
def test_an_impossible_article_is_refused_and_not_stored(title: str, body: str, language: str) -> None:
    tenant = make_tenant()
    with pytest.raises(InvalidInput):
        save_article(tenant_id=tenant.id, title=title, body=body, language=language)
    with tenant_atomic(tenant.id):
        assert ArticleVersion.objects.count() == 0


def test_another_tenants_article_cannot_be_found_or_changed() -> None:
    owner, stranger = make_tenant(), make_tenant()
    article = publish(owner, "Returns", BODY)
    for change in (publish_article, archive_article, restore_article):
        with pytest.raises(NotFound):
            change(tenant_id=stranger.id, article_id=article.pk)
    with pytest.raises(NotFound):
        archive_article(tenant_id=owner.id, article_id=uuid.uuid4())
    assert titles(find(owner, "Can I return pots?")) == ["Returns"]
