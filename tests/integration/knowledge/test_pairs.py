"""Articles in two languages: linked by hand, by a new translation and by files; which side is behind; who may."""

from __future__ import annotations

import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from helpdesk.errors import InvalidInput, NotFound
from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.models import User
from knowledge import pairs
from knowledge.domain import save_article
from knowledge.models import Article, ArticleVersion
from knowledge.sources.linking import place_without_language
from tests.factories import make_tenant, make_user
from tests.integration.users.joining import run

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


@pytest.fixture
def editor(tenant: Tenant) -> User:
    return make_user(tenant, Role.EDITOR)


def write(tenant: Tenant, title: str, language: str = "en", body: str = "Three days.") -> Article:
    article: Article = save_article(tenant_id=tenant.id, title=title, body=body, language=language).article
    return article


def link(tenant: Tenant, first: Article, second: Article) -> None:
    pairs.link(tenant_id=tenant.id, article_id=first.pk, other_id=second.pk)


def other(tenant: Tenant, article: Article) -> Article | None:
    with tenant_atomic(tenant.id):
        return pairs.counterpart_of(Article.objects.get(pk=article.pk))


def path_of(name: str, tenant: Tenant, article: Article | None = None) -> str:
    return reverse(
        f"knowledge:{name}", kwargs={"tenant_slug": tenant.slug} | ({"article_id": article.id} if article else {})
    )


def listed(client: Client, tenant: Tenant, pair: str) -> set[str]:
    return {row.title for row, _state in client.get(path_of("list", tenant), {"pair": pair}).context["rows"]}


def as_client(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_two_languages_are_linked_both_ways_and_unlinked(tenant: Tenant) -> None:
    english, chinese = write(tenant, "Delivery"), write(tenant, "配送", "zh")
    link(tenant, english, chinese)
    link(tenant, chinese, english)
    assert (other(tenant, english), other(tenant, chinese)) == (chinese, english)
    pairs.unlink(tenant_id=tenant.id, article_id=chinese.pk)
    assert (other(tenant, english), other(tenant, chinese)) == (None, None)


def test_what_cannot_be_a_pair_is_refused(tenant: Tenant) -> None:
    english, same, chinese, third = (
        write(tenant, "Delivery"), write(tenant, "Shipping"), write(tenant, "配送", "zh"), write(tenant, "运费", "zh"),
    )  # fmt: skip
    with pytest.raises(InvalidInput):
        link(tenant, english, same)
    with pytest.raises(InvalidInput):
        link(tenant, english, english)
    link(tenant, english, chinese)
    with pytest.raises(pairs.AlreadyLinked):
        link(tenant, third, english)
    foreign = write(make_tenant(), "外部", "zh")
    with pytest.raises(NotFound):
        link(tenant, same, foreign)
    assert other(tenant, same) is None


def test_the_side_that_was_not_seen_to_is_older_until_somebody_looks(tenant: Tenant, editor: User) -> None:
    english, chinese = write(tenant, "Delivery"), write(tenant, "配送", "zh")
    link(tenant, english, chinese)
    with tenant_atomic(tenant.id):
        [old] = ArticleVersion.objects.filter(article=chinese)
        ArticleVersion.objects.filter(pk=old.pk).update(created_at=old.created_at - timedelta(days=1))
    client = as_client(editor)
    assert (listed(client, tenant, "older"), listed(client, tenant, "missing")) == ({"配送"}, set())
    assert client.get(path_of("languages", tenant, english)).content.decode().count("Older than the other") == 1
    client.post(path_of("reviewed", tenant, chinese))
    assert "Older than the other" not in client.get(path_of("languages", tenant, english)).content.decode()
    assert listed(client, tenant, "older") == set()


def test_saving_the_other_side_makes_this_one_the_older(tenant: Tenant, editor: User) -> None:
    english, chinese = write(tenant, "Delivery"), write(tenant, "配送", "zh")
    link(tenant, english, chinese)
    save_article(tenant_id=tenant.id, title="Delivery", body="Four days.", language="en", article_id=english.pk)
    assert listed(as_client(editor), tenant, "older") == {"配送"}


def test_a_translation_is_written_beside_its_article_and_linked(tenant: Tenant, editor: User) -> None:
    english, client = write(tenant, "Delivery", body="# Only here"), as_client(editor)
    assert listed(client, tenant, "missing") == {"Delivery"}
    page = client.get(path_of("languages", tenant, english)).content.decode()
    address = f"{path_of('new', tenant)}?beside={english.id}"
    assert address in page and "no Chinese version" in page
    assert "Only here" in client.get(address).content.decode()
    typed = {"title": "配送", "language": "zh", "category": "", "body": "三天。", "based_on": "0"}
    assert client.post(address, typed).status_code == 302
    found = other(tenant, english)
    assert found is not None and found.title == "配送"


@pytest.mark.parametrize("beside", ["x", str(uuid.UUID(int=7)), ""])
def test_an_odd_article_beside_is_none(tenant: Tenant, editor: User, beside: str) -> None:
    page = as_client(editor).get(path_of("new", tenant), {"beside": beside})
    assert (page.status_code, page.context["beside"]) == (200, None)


def test_another_companys_article_is_never_shown_beside(tenant: Tenant, editor: User) -> None:
    foreign = write(make_tenant(), "Secret plans")
    page = as_client(editor).get(path_of("new", tenant), {"beside": str(foreign.pk)})
    assert (page.context["beside"], "Secret plans" in page.content.decode()) == (None, False)


@pytest.mark.parametrize("name", ["link", "unlink", "reviewed"])
def test_only_editors_change_links_and_outsiders_find_nothing(tenant: Tenant, editor: User, name: str) -> None:
    english, chinese = write(tenant, "Delivery"), write(tenant, "配送", "zh")
    if name == "unlink":
        link(tenant, english, chinese)
    before = other(tenant, english)
    path, data = path_of(name, tenant, english), {"other": str(chinese.pk)}
    for role in (Role.REVIEWER, Role.AGENT, Role.VIEWER):
        assert as_client(make_user(tenant, role)).post(path, data).status_code == 403
    assert as_client(make_user(make_tenant(), Role.OWNER)).post(path, data).status_code == 404
    assert Client().post(path, data)["Location"].startswith("/accounts/login/")
    with tenant_atomic(tenant.id):
        assert Article.objects.get(pk=english.pk).reviewed_at is None
    assert other(tenant, english) == before
    assert as_client(editor).post(path, data)["Location"] == path_of("languages", tenant, english)


@pytest.mark.parametrize("chosen", ["", "x", str(uuid.UUID(int=7))])
def test_an_odd_choice_links_nothing(tenant: Tenant, editor: User, chosen: str) -> None:
    english = write(tenant, "Delivery")
    assert as_client(editor).post(path_of("link", tenant, english), {"other": chosen}).status_code in (302, 404)
    assert other(tenant, english) is None


def test_readers_see_both_sides_without_buttons(tenant: Tenant) -> None:
    english, chinese = write(tenant, "Delivery"), write(tenant, "配送", "zh", body="三天。")
    link(tenant, english, chinese)
    page = as_client(make_user(tenant, Role.VIEWER)).get(path_of("languages", tenant, chinese)).content.decode()
    assert ("三天。" in page, "Three days." in page, "Unlink" in page) == (True, True, False)
    outsider = as_client(make_user(make_tenant(), Role.OWNER))
    assert outsider.get(path_of("languages", tenant, chinese)).status_code == 404


def test_files_of_one_place_are_linked_and_others_are_not(tenant: Tenant, tmp_path: Path) -> None:
    files = {
        "en/returns.md": "# Returns\n\nThirty days.", "zh/returns.md": "# 退货\n\n三十天。",
        "en/a/index.md": "# A\n\nOne.", "zh/b/index.md": "# 乙\n\n二。",
        "gift.en.md": "# Gifts\n\nThree years.", "gift.zh-CN.md": "# 礼品卡\n\n三年。",
    }  # fmt: skip
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    run("load_knowledge", tenant.slug, str(tmp_path))
    with tenant_atomic(tenant.id):
        linked = set(Article.objects.exclude(pair=None).values_list("title", flat=True))
    assert linked == {"Returns", "退货", "Gifts", "礼品卡"}


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("en/returns.md", "returns"), ("zh_Hans/returns.md", "returns"), ("returns.zh-CN.md", "returns"),
        ("shop/EN/a/b.md", "shop/a/b"), ("en.md", "en"), ("english/returns.md", "english/returns"),
    ],
)  # fmt: skip
def test_a_place_without_its_language(path: str, place: str) -> None:
    assert place_without_language(path) == place


def test_the_list_with_pairs_takes_the_same_queries(
    tenant: Tenant, editor: User, django_assert_num_queries: Any
) -> None:
    client = as_client(editor)
    client.get(path_of("list", tenant))
    for number in range(3):
        link(tenant, write(tenant, f"Delivery {number}"), write(tenant, f"配送 {number}", "zh"))
    with django_assert_num_queries(13):
        client.get(path_of("list", tenant))
