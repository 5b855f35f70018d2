"""Published articles for API clients: who may, and that drafts and archived ones stay inside."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from helpdesk.api_keys.scopes import Scope
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from knowledge.domain import archive_article, publish_article, save_article
from knowledge.models import Article
from tests.api_access import ApiEndpoint, api_call, check_access
from tests.factories import make_api_key, make_tenant

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/api/v1/knowledge/articles"


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


def article(tenant: Tenant, title: str, *, published: bool = True, language: str = "en") -> uuid.UUID:
    version = save_article(tenant_id=tenant.id, title=title, body=f"# {title}\n\nText.", language=language)
    if published:
        publish_article(tenant_id=tenant.id, article_id=version.article_id)
    return version.article_id


def titles(response: Any) -> list[str]:
    return [row["title"] for row in response.json()["data"]]


def test_the_matrix_of_callers(tenant: Tenant) -> None:
    article_id = article(tenant, "Delivery")

    def rows() -> list[Any]:
        with tenant_atomic(tenant.id):
            return list(Article.objects.values())

    check_access(ApiEndpoint("GET", PATH, Scope.KNOWLEDGE_READ), tenant, rows=rows, is_about_one=False)
    check_access(ApiEndpoint("GET", f"{PATH}/{article_id}", Scope.KNOWLEDGE_READ), tenant, rows=rows)


def test_only_what_customers_get_is_shown(tenant: Tenant) -> None:
    key = make_api_key(tenant)
    shown, archived = article(tenant, "Delivery"), article(tenant, "Old terms")
    draft = article(tenant, "Not yet", published=False)
    archive_article(tenant_id=tenant.id, article_id=archived)
    save_article(tenant_id=tenant.id, article_id=shown, title="A new name", body="New text.", language="en", based_on=1)
    article(make_tenant(), "A stranger's")
    assert titles(api_call("GET", PATH, key)) == ["Delivery"]
    read = api_call("GET", f"{PATH}/{shown}", key).json()
    assert (read["title"], read["version"], read["body"]) == ("Delivery", 1, "# Delivery\n\nText.")
    for hidden in (archived, draft, uuid.uuid4()):
        assert api_call("GET", f"{PATH}/{hidden}", key).status_code == 404


def test_lists_filter_by_language_and_title(tenant: Tenant) -> None:
    key = make_api_key(tenant)
    article(tenant, "Delivery")
    article(tenant, "配送", language="zh")
    assert titles(api_call("GET", f"{PATH}?language=zh", key)) == ["配送"]
    assert titles(api_call("GET", f"{PATH}?q=deliv", key)) == ["Delivery"]
    assert api_call("GET", f"{PATH}?language=fr", key).json()["error"]["parameter"] == "language"
    assert api_call("GET", f"{PATH}?q=%00", key).status_code == 400


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_takes_a_fixed_number_of_queries(tenant: Tenant, count: int, django_assert_num_queries: Any) -> None:
    key = make_api_key(tenant)
    for number in range(count):
        article(tenant, f"Article {number}")
    with django_assert_num_queries(11):
        assert len(titles(api_call("GET", PATH, key))) == count
