"""The knowledge pages: who may, what the list and the editor show, conflicts, and what markup survives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.models import Membership, User
from knowledge.domain import MAX_BODY_CHARACTERS, archive_article, publish_article, save_article
from knowledge.models import Article, ArticleVersion, Category, Chunk
from knowledge.rendering import render_markdown
from tests.factories import make_tenant, make_user

pytestmark = pytest.mark.django_db

EVERY_ROLE = list(Role)
EDITORS = [Role.OWNER, Role.ADMIN, Role.EDITOR]
READERS = [Role.REVIEWER, Role.AGENT, Role.VIEWER]
TYPED = {"title": "Returns", "language": "en", "category": "Orders", "body": "Thirty days.", "based_on": "0"}


@dataclass(frozen=True)
class Endpoint:
    """A page or action; `status` is what somebody with the right gets."""

    name: str
    method: str
    status: int
    allowed: list[Role]
    refused: list[Role]
    data: dict[str, str]

    def call(self, client: Client, tenant: Tenant, article: Article) -> Any:
        kwargs: dict[str, Any] = {"tenant_slug": tenant.slug}
        if self.name not in {"list", "new", "preview"}:
            kwargs["article_id"] = article.id
        if self.name == "version":
            kwargs["number"] = 1
        return getattr(client, self.method)(reverse(f"knowledge:{self.name}", kwargs=kwargs), self.data)


ENDPOINTS = [
    Endpoint("list", "get", 200, EVERY_ROLE, [], {"q": "delivery"}),
    Endpoint("edit", "get", 200, EVERY_ROLE, [], {}),
    Endpoint("version", "get", 200, EVERY_ROLE, [], {}),
    Endpoint("new", "get", 200, EDITORS, READERS, {}),
    Endpoint("new", "post", 302, EDITORS[:1], READERS, TYPED),
    Endpoint("edit", "post", 302, EDITORS[:1], READERS, TYPED | {"based_on": "1"}),
    Endpoint("preview", "post", 200, EDITORS, READERS, {"body": "Hello"}),
    Endpoint("publish", "post", 302, EDITORS, READERS, {}),
    Endpoint("archive", "post", 302, EDITORS, READERS, {}),
    Endpoint("restore", "post", 302, EDITORS, READERS, {"number": "1"}),
]
by_name = pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: f"{endpoint.method}-{endpoint.name}")


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


@pytest.fixture
def article(tenant: Tenant) -> Article:
    """A draft, so that publishing and archiving would change it."""
    return make_article(tenant, "Delivery times", "Two days.")


def make_article(tenant: Tenant, title: str, body: str = "Text.", **fields: Any) -> Article:
    version = save_article(tenant_id=tenant.id, title=title, body=body, **{"language": "en"} | fields)
    with tenant_atomic(tenant.id):
        return Article.objects.get(id=version.article_id)


def rows_of(tenant: Tenant) -> list[Any]:
    with tenant_atomic(tenant.id):
        return [list(model.objects.order_by("id").values()) for model in (Article, ArticleVersion, Category, Chunk)]


def set_role(tenant: Tenant, user: User, role: Role) -> None:
    with tenant_atomic(tenant.id):
        assert Membership.objects.filter(user=user).update(role=role) == 1


def url_of(name: str, tenant: Tenant, article: Article | None = None, **kwargs: Any) -> str:
    if article is not None:
        kwargs["article_id"] = article.id
    return reverse(f"knowledge:{name}", kwargs={"tenant_slug": tenant.slug} | kwargs)


@by_name
def test_anonymous_is_sent_to_sign_in(client: Client, tenant: Tenant, article: Article, endpoint: Endpoint) -> None:
    before = rows_of(tenant)
    response = endpoint.call(client, tenant, article)
    assert response.status_code == 302
    assert response.url.startswith(reverse("account_login") + "?next=/desk/")
    assert rows_of(tenant) == before


@by_name
def test_person_of_another_tenant_gets_404(
    client: Client, tenant: Tenant, article: Article, endpoint: Endpoint
) -> None:
    before = rows_of(tenant)
    own = make_tenant()
    client.force_login(make_user(own, Role.OWNER))
    assert endpoint.call(client, tenant, article).status_code == 404
    if endpoint.name not in {"list", "new", "preview"}:
        assert endpoint.call(client, own, article).status_code == 404
    assert rows_of(tenant) == before


@by_name
def test_wrong_role_gets_403_and_changes_nothing(
    client: Client, tenant: Tenant, article: Article, endpoint: Endpoint
) -> None:
    before = rows_of(tenant)
    client.force_login(user := make_user(tenant))
    for role in endpoint.refused:
        set_role(tenant, user, role)
        assert endpoint.call(client, tenant, article).status_code == 403
    assert rows_of(tenant) == before


@by_name
def test_right_role_is_served(client: Client, tenant: Tenant, article: Article, endpoint: Endpoint) -> None:
    client.force_login(user := make_user(tenant))
    for role in endpoint.allowed:
        set_role(tenant, user, role)
        assert endpoint.call(client, tenant, article).status_code == endpoint.status


@pytest.mark.parametrize("name", ["publish", "archive", "restore", "preview"])
def test_action_needs_post(client: Client, tenant: Tenant, article: Article, name: str) -> None:
    client.force_login(make_user(tenant, Role.EDITOR))
    assert client.get(url_of(name, tenant, None if name == "preview" else article)).status_code == 405


@pytest.mark.parametrize("count", [1, 3])
def test_list_takes_a_fixed_number_of_queries(
    client: Client, tenant: Tenant, count: int, django_assert_num_queries: Callable[[int], Any]
) -> None:
    for number in range(count):
        made = make_article(tenant, f"Article {number}", category=f"Shelf {number}")
        publish_article(tenant_id=tenant.id, article_id=made.id)
    client.force_login(make_user(tenant))
    with django_assert_num_queries(13):
        response = client.get(url_of("list", tenant))
    assert len(response.context["rows"]) == count


def test_list_filters_by_text_language_status_and_category(client: Client, tenant: Tenant) -> None:
    delivery = make_article(tenant, "Delivery abroad", category="Delivery")
    chinese = make_article(tenant, "配送时间", language="zh", category="配送")
    archived = make_article(tenant, "Delivery by bike")
    archive_article(tenant_id=tenant.id, article_id=archived.id)
    client.force_login(make_user(tenant))
    with tenant_atomic(tenant.id):
        category = Category.objects.get(name="Delivery")
    for query, expected in [
        ({}, {delivery.id, chinese.id, archived.id}),
        ({"q": "deliv"}, {delivery.id, archived.id}),
        ({"language": "zh"}, {chinese.id}),
        ({"status": "archived"}, {archived.id}),
        ({"category": str(category.id)}, {delivery.id}),
        ({"q": "deliv", "status": "draft"}, {delivery.id}),
        ({"status": "nonsense", "category": "nonsense", "page": "-3"}, {delivery.id, chinese.id, archived.id}),
    ]:
        response = client.get(url_of("list", tenant), query)
        assert {row.id for row, _state in response.context["rows"]} == expected, query


def test_list_says_whether_search_is_ready(client: Client, tenant: Tenant, article: Article) -> None:
    client.force_login(make_user(tenant))

    def state() -> str:
        [(_article, found)] = client.get(url_of("list", tenant)).context["rows"]
        return str(found)

    assert state() == "hidden"
    publish_article(tenant_id=tenant.id, article_id=article.id)
    assert state() == "preparing"
    with tenant_atomic(tenant.id):
        Chunk.objects.update(embedding=[0.0] * 384)
    assert state() == "searchable"


def test_saving_makes_a_draft_and_publishing_gives_it_to_customers(client: Client, tenant: Tenant) -> None:
    user = make_user(tenant, Role.EDITOR)
    client.force_login(user)
    client.post(url_of("new", tenant), TYPED)
    with tenant_atomic(tenant.id):
        made = Article.objects.select_related("category").get()
        version = ArticleVersion.objects.get()
    assert (made.status, made.category.name, version.author_id) == ("draft", "Orders", user.pk)
    client.post(url_of("publish", tenant, made))
    with tenant_atomic(tenant.id):
        made.refresh_from_db()
    assert (made.status, made.published_version_id) == ("published", version.id)


def test_save_and_publish_is_one_step(client: Client, tenant: Tenant, article: Article) -> None:
    client.force_login(make_user(tenant, Role.EDITOR))
    client.post(url_of("edit", tenant, article), TYPED | {"based_on": "1", "action": "publish"})
    with tenant_atomic(tenant.id):
        article.refresh_from_db()
        assert article.published_version is not None
        assert article.published_version.number == 2


def test_saving_over_a_newer_version_is_a_conflict_that_keeps_the_text(
    client: Client, tenant: Tenant, article: Article
) -> None:
    other = make_user(tenant, Role.EDITOR)
    save_article(
        tenant_id=tenant.id,
        article_id=article.id,
        title="Delivery",
        body="Three days.",
        language="en",
        author_id=other.pk,
    )
    before = rows_of(tenant)
    client.force_login(make_user(tenant, Role.EDITOR))
    mine = TYPED | {"body": "My own long text", "based_on": "1"}
    response = client.post(url_of("edit", tenant, article), mine)
    page = response.content.decode()
    assert response.status_code == 409
    assert f"{other.name} saved version 2" in page
    assert "My own long text" in page
    assert rows_of(tenant) == before
    again = client.post(
        url_of("edit", tenant, article), mine | {"based_on": str(response.context["form"]["based_on"].value())}
    )
    assert again.status_code == 302


def test_new_article_does_not_swallow_one_of_the_same_title(client: Client, tenant: Tenant, article: Article) -> None:
    before = rows_of(tenant)
    client.force_login(make_user(tenant, Role.EDITOR))
    response = client.post(url_of("new", tenant), TYPED | {"title": "Delivery times"})
    assert response.status_code == 400
    assert response.context["form"].errors["title"]
    assert rows_of(tenant) == before


@pytest.mark.parametrize(
    ("field", "value"),
    [("title", ""), ("title", "x" * 301), ("body", ""), ("body", "x" * (MAX_BODY_CHARACTERS + 1)), ("language", "fr")],
)
def test_unusable_article_is_explained_and_kept(client: Client, tenant: Tenant, field: str, value: str) -> None:
    client.force_login(make_user(tenant, Role.EDITOR))
    response = client.post(url_of("new", tenant), TYPED | {field: value})
    assert response.status_code == 400
    assert response.context["form"].errors[field]
    assert response.context["form"]["body"].value() == (value if field == "body" else TYPED["body"])
    assert rows_of(tenant)[0] == []


def test_archiving_and_bringing_back(client: Client, tenant: Tenant, article: Article) -> None:
    client.force_login(make_user(tenant, Role.EDITOR))
    for name, status in [("publish", "published"), ("archive", "archived"), ("restore", "published")]:
        client.post(url_of(name, tenant, article))
        with tenant_atomic(tenant.id):
            article.refresh_from_db()
        assert article.status == status


def test_old_version_is_shown_and_restored(client: Client, tenant: Tenant, article: Article) -> None:
    save_article(tenant_id=tenant.id, article_id=article.id, title="Delivery", body="Three days.", language="en")
    client.force_login(make_user(tenant, Role.EDITOR))
    assert "Two days." in client.get(url_of("version", tenant, article, number=1)).content.decode()
    assert client.get(url_of("version", tenant, article, number=9)).status_code == 404
    client.post(url_of("restore", tenant, article), {"number": "1"})
    with tenant_atomic(tenant.id):
        newest = ArticleVersion.objects.filter(article=article).order_by("-number").first()
    assert (newest.number, newest.body) == (3, "Two days.")


def test_reader_sees_the_article_without_a_form(client: Client, tenant: Tenant, article: Article) -> None:
    client.force_login(make_user(tenant, Role.AGENT))
    page = client.get(url_of("edit", tenant, article)).content.decode()
    assert "Two days." in page
    assert "<textarea" not in page
    assert url_of("archive", tenant, article) not in page


ATTACKS = [
    "<script>alert(1)</script>",
    '<img src="x" onerror="alert(1)">',
    "[click](javascript:alert(1))",
    '<a href="javascript:alert(1)">x</a>',
    '<p onclick="alert(1)" style="position:fixed">x</p>',
    '<iframe src="https://example.org"></iframe>',
    "<svg><script>alert(1)</script></svg>",
    "![x](https://example.org/track.png)",
    '<form action="https://example.org"><input name="password"></form>',
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_preview_and_versions_let_no_active_markup_through(client: Client, tenant: Tenant, attack: str) -> None:
    found = make_article(tenant, "Attack", attack)
    client.force_login(make_user(tenant, Role.EDITOR))
    pages = [
        client.post(url_of("preview", tenant), {"body": attack}).content.decode(),
        str(client.get(url_of("version", tenant, found, number=1)).context["html"]),
        str(client.get(url_of("edit", tenant, found)).context["html"]),
    ]
    for page in pages:
        for active in (
            "<script",
            "<img",
            "<iframe",
            "<form",
            "<input",
            "<svg",
            "onerror",
            "onclick",
            "style=",
            'href="java',
        ):
            assert active not in page


def test_title_comes_out_as_text(client: Client, tenant: Tenant) -> None:
    found = make_article(tenant, "<b onclick=x>Bold</b>", category="<i>Shelf</i>")
    client.force_login(make_user(tenant, Role.EDITOR))
    for url in (url_of("list", tenant), url_of("edit", tenant, found), url_of("version", tenant, found, number=1)):
        page = client.get(url).content.decode()
        assert "<b onclick" not in page
        assert "<i>Shelf" not in page


def test_preview_of_too_long_a_text_says_so(client: Client, tenant: Tenant) -> None:
    client.force_login(make_user(tenant, Role.EDITOR))
    response = client.post(url_of("preview", tenant), {"body": "x" * (MAX_BODY_CHARACTERS + 7)})
    assert "7 characters too long" in response.content.decode()


def test_markdown_renders_as_html() -> None:
    html = render_markdown("# Title\n\n- **one**\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n[link](https://example.org)")
    for part in ("<h1>Title</h1>", "<strong>one</strong>", "<td>1</td>", 'rel="noopener noreferrer nofollow"'):
        assert part in html
