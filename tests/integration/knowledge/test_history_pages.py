"""An article's history: who changed what, what a version changed, and who may see it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from helpdesk.facts.kinds import user_actor
from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.models import User
from knowledge.domain import archive_article, publish_article, restore_article, save_article
from knowledge.history import PAGE, history
from knowledge.models import Article
from tests.factories import make_tenant, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


@pytest.fixture
def editor(tenant: Tenant) -> User:
    return make_user(tenant, Role.EDITOR)


def make_article(tenant: Tenant, editor: User, *bodies: str, title: str = "Delivery") -> Article:
    article = None
    for body in bodies:
        article = save_article(
            tenant_id=tenant.id,
            title=title,
            body=body,
            language="en",
            article_id=article.pk if article else None,
            author_id=editor.pk,
        ).article
    assert article is not None
    return article


def get(user: User, tenant: Tenant, name: str, article: Article, query: str = "", **kwargs: Any) -> Any:
    client = Client()
    client.force_login(user)
    path = reverse(f"knowledge:{name}", kwargs={"tenant_slug": tenant.slug, "article_id": article.id, **kwargs})
    return client.get(path + query)


def test_the_history_says_who_saved_published_and_archived(tenant: Tenant, editor: User) -> None:
    article = make_article(tenant, editor, "Three days.", "Four days.")
    chief = make_user(tenant, Role.OWNER)
    publish_article(tenant_id=tenant.id, article_id=article.id, actor=user_actor(chief))
    archive_article(tenant_id=tenant.id, article_id=article.id, actor=user_actor(chief))
    archive_article(tenant_id=tenant.id, article_id=article.id, actor=user_actor(chief))
    restore_article(tenant_id=tenant.id, article_id=article.id)
    with tenant_atomic(tenant.id):
        entries, has_more = history(article)
    assert [(entry.change and entry.change.value, entry.number, entry.who) for entry in entries] == [
        ("restored", None, ""),
        ("archived", None, str(chief)),
        ("published", 2, str(chief)),
        (None, 2, str(editor)),
        (None, 1, str(editor)),
    ]
    assert has_more is False


@pytest.mark.parametrize("count", [1, 3])
def test_the_history_takes_the_same_queries_for_one_and_three(
    tenant: Tenant, editor: User, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    article = make_article(tenant, editor, *(f"{number} days." for number in range(count)))
    with tenant_atomic(tenant.id), django_assert_num_queries(2):
        history(article)


def test_a_long_history_has_pages(tenant: Tenant, editor: User) -> None:
    article = make_article(tenant, editor, *(f"{number} days." for number in range(PAGE + 2)))
    with tenant_atomic(tenant.id):
        (first, more), (second, end) = history(article), history(article, page=2)
    assert ([entry.number for entry in first[:2]], more) == ([PAGE + 2, PAGE + 1], True)
    assert ([entry.number for entry in second], end) == ([2, 1], False)
    assert "page=2" in get(editor, tenant, "history", article).content.decode()


def test_a_version_shows_what_it_changed(tenant: Tenant, editor: User) -> None:
    article = make_article(tenant, editor, "Three days.", "Four days.\n\n<b>Free</b>", "Five days.")
    page = get(editor, tenant, "changes", article, number=2).content.decode()
    assert "<del>Three</del>" in page and "<ins>Four</ins>" in page and "&lt;b&gt;Free" in page
    since = get(editor, tenant, "changes", article, "?since=1", number=3).content.decode()
    assert "<del>Three</del>" in since and "Four" not in since
    first = get(editor, tenant, "changes", article, number=1).content.decode()
    assert "Three days." in first and "difference-gone" not in first


@pytest.mark.parametrize("query", ["?since=9", "?since=99999999999", "?since=-1", "?since=x", "?since=²"])
def test_an_odd_comparison_is_not_found_or_the_usual_one(tenant: Tenant, editor: User, query: str) -> None:
    article = make_article(tenant, editor, "Three days.", "Four days.")
    assert get(editor, tenant, "changes", article, query, number=2).status_code == (404 if query == "?since=9" else 200)
    assert get(editor, tenant, "changes", article, number=7).status_code == 404


@pytest.mark.parametrize(("name", "number"), [("history", {}), ("changes", {"number": 1})])
def test_members_of_every_role_read_it_and_outsiders_find_nothing(
    tenant: Tenant, editor: User, name: str, number: dict[str, int]
) -> None:
    article = make_article(tenant, editor, "Three days.")
    for role in Role:
        assert get(make_user(tenant, role), tenant, name, article, **number).status_code == 200
    other = make_tenant()
    outsider = make_user(other, Role.OWNER)
    assert get(outsider, tenant, name, article, **number).status_code == 404
    assert get(outsider, other, name, article, **number).status_code == 404
    path = reverse(f"knowledge:{name}", kwargs={"tenant_slug": tenant.slug, "article_id": article.id, **number})
    assert Client().get(path).status_code == 302


def test_restoring_is_offered_to_editors_for_older_versions_only(tenant: Tenant, editor: User) -> None:
    article = make_article(tenant, editor, "Three days.", "Four days.")
    reader = make_user(tenant, Role.AGENT)
    offered = [
        "Restore version" in get(user, tenant, "changes", article, number=number).content.decode()
        for user, number in ((editor, 1), (editor, 2), (reader, 1))
    ]
    assert offered == [True, False, False]
