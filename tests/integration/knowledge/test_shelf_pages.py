"""Categories and the preview of passages: what they show and change, and who may."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.models import User
from knowledge.domain import publish_article, save_article
from knowledge.models import Article, Category
from tests.factories import make_tenant, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


@pytest.fixture
def editor(tenant: Tenant) -> Client:
    return as_client(make_user(tenant, Role.EDITOR))


def as_client(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def write(tenant: Tenant, title: str, category: str, body: str = "Three days.") -> Article:
    article: Article = save_article(
        tenant_id=tenant.id, title=title, body=body, language="en", category=category
    ).article
    return article


def shelf(tenant: Tenant, name: str) -> Category:
    with tenant_atomic(tenant.id):
        return Category.objects.get(name=name)


def shelves(tenant: Tenant) -> dict[str, str]:
    """Each article's category."""
    with tenant_atomic(tenant.id):
        return {
            row.title: row.category.name if row.category else "" for row in Article.objects.select_related("category")
        }


def path_of(name: str, tenant: Tenant, **kwargs: Any) -> str:
    return reverse(f"knowledge:{name}", kwargs={"tenant_slug": tenant.slug, **kwargs})


def test_categories_are_listed_with_their_articles(tenant: Tenant, editor: Client) -> None:
    published = write(tenant, "Standard", "Delivery")
    publish_article(tenant_id=tenant.id, article_id=published.pk)
    write(tenant, "Express", "Delivery")
    write(tenant, "Roses", "Plants")
    rows = editor.get(path_of("categories", tenant)).context["rows"]
    assert [(row.name, row.total, row.published) for row in rows] == [("Delivery", 2, 1), ("Plants", 1, 0)]


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_of_categories_takes_the_same_queries(
    tenant: Tenant, editor: Client, count: int, django_assert_num_queries: Any
) -> None:
    editor.get(path_of("categories", tenant))
    for number in range(count):
        write(tenant, f"Article {number}", f"Shelf {number}")
    with django_assert_num_queries(12):
        editor.get(path_of("categories", tenant))


def test_a_category_is_renamed_and_joined_with_another(tenant: Tenant, editor: Client) -> None:
    write(tenant, "Standard", "Delivery")
    write(tenant, "Express", "Shipping")
    path = path_of("rename_category", tenant, category_id=shelf(tenant, "Shipping").pk)
    editor.post(path, {"name": "  Fast   delivery "})
    assert shelves(tenant) == {"Standard": "Delivery", "Express": "Fast delivery"}
    editor.post(path, {"name": "Delivery"})
    assert shelves(tenant) == {"Standard": "Delivery", "Express": "Delivery"}
    assert editor.post(path, {"name": "Again"}).status_code == 404


@pytest.mark.parametrize("name", ["", "   ", "x" * 121])
def test_an_unusable_name_changes_nothing(tenant: Tenant, editor: Client, name: str) -> None:
    write(tenant, "Standard", "Delivery")
    path = path_of("rename_category", tenant, category_id=shelf(tenant, "Delivery").pk)
    assert "1 to 120" in editor.post(path, {"name": name}, follow=True).content.decode()
    assert shelves(tenant) == {"Standard": "Delivery"}


def test_a_removed_category_leaves_its_articles(tenant: Tenant, editor: Client) -> None:
    write(tenant, "Standard", "Delivery")
    editor.post(path_of("remove_category", tenant, category_id=shelf(tenant, "Delivery").pk))
    assert shelves(tenant) == {"Standard": ""}


@pytest.mark.parametrize("name", ["rename_category", "remove_category"])
def test_only_editors_change_categories_and_of_their_company_only(tenant: Tenant, editor: Client, name: str) -> None:
    write(tenant, "Standard", "Delivery")
    path, data = path_of(name, tenant, category_id=shelf(tenant, "Delivery").pk), {"name": "Mine"}
    for role in (Role.REVIEWER, Role.AGENT, Role.VIEWER):
        assert as_client(make_user(tenant, role)).post(path, data).status_code == 403
    other = make_tenant()
    outsider = as_client(make_user(other, Role.OWNER))
    assert outsider.post(path, data).status_code == 404
    foreign = path_of(name, other, category_id=shelf(tenant, "Delivery").pk)
    assert outsider.post(foreign, data).status_code == 404
    assert editor.post(path_of(name, tenant, category_id=uuid.uuid4()), data).status_code == 404
    assert Client().post(path, data)["Location"].startswith("/accounts/login/")
    assert shelves(tenant) == {"Standard": "Delivery"}


def test_every_role_reads_categories_and_passages_and_outsiders_find_nothing(tenant: Tenant) -> None:
    article = write(tenant, "Standard", "Delivery")
    paths = [path_of("categories", tenant), path_of("passages", tenant, article_id=article.pk)]
    for role in Role:
        client = as_client(make_user(tenant, role))
        assert [client.get(path).status_code for path in paths] == [200, 200]
    other = make_tenant()
    outsider = as_client(make_user(other, Role.OWNER))
    paths.append(path_of("passages", other, article_id=article.pk))
    assert [outsider.get(path).status_code for path in paths] == [404, 404, 404]


def test_passages_are_those_of_the_newest_text(tenant: Tenant, editor: Client) -> None:
    article = write(tenant, "Standard", "Delivery", "Three days.\n\n## Free <b>delivery</b>\n\nFrom 40 €.")
    page = editor.get(path_of("passages", tenant, article_id=article.pk))
    assert [(each.line, each.text) for each in page.context["passages"]] == [(1, "Three days."), (5, "From 40 €.")]
    assert (page.context["is_published"], "<b>delivery" in page.content.decode()) == (False, False)
    publish_article(tenant_id=tenant.id, article_id=article.pk)
    assert editor.get(path_of("passages", tenant, article_id=article.pk)).context["is_published"]
    save_article(tenant_id=tenant.id, title="Standard", body="# Nothing", language="en", article_id=article.pk)
    bare = editor.get(path_of("passages", tenant, article_id=article.pk))
    assert (bare.context["count"], "nothing in this text" in bare.content.decode()) == (0, True)
