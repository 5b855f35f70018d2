"""A text that cannot be cut into passages: a sentence in the form, nothing typed is lost, nothing is half done."""

from __future__ import annotations

import pytest
from django.db import DataError
from django.test import Client
from django.urls import reverse

from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from knowledge import passages, rendering
from knowledge.domain import publish_article, save_article
from knowledge.errors import CannotRead, NothingToQuote
from knowledge.models import Article, ArticleStatus, ArticleVersion
from tests.factories import make_tenant, make_user
from tests.integration.knowledge.articles import find, publish, titles

pytestmark = pytest.mark.django_db

TYPED = {"title": "Prices", "language": "en", "category": "Shop", "body": "a;b\n" * 5, "based_on": "0"}
SENTENCE = "be indexed. Shorten or remove its longest paragraph"


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


@pytest.fixture
def editor(client: Client, tenant: Tenant) -> Client:
    client.force_login(make_user(tenant, Role.EDITOR))
    return client


def fail_with(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def split(body: str) -> None:
        raise error

    monkeypatch.setattr(passages, "split_article", split)


def url(name: str, tenant: Tenant, **kwargs: object) -> str:
    return reverse(f"knowledge:{name}", kwargs={"tenant_slug": tenant.slug, **kwargs})


@pytest.mark.parametrize("error", [RecursionError(), ValueError("x"), IndexError(), DataError("too long")])
def test_save_and_publish_of_a_new_article_says_why_and_keeps_what_was_typed(
    editor: Client, tenant: Tenant, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    fail_with(monkeypatch, error)
    response = editor.post(url("new", tenant), TYPED | {"action": "publish"})
    page = response.content.decode()
    assert response.status_code == 400
    assert SENTENCE in page and "a;b" in page and "Prices" in page
    with tenant_atomic(tenant.id):
        assert (Article.objects.count(), ArticleVersion.objects.count()) == (0, 0)
    assert editor.post(url("new", tenant), TYPED | {"action": "save"}).status_code == 302


def test_save_and_publish_of_a_change_leaves_what_customers_get(
    editor: Client, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    article = publish(tenant, "Bells", "Loud ones.")
    fail_with(monkeypatch, RecursionError())
    typed = TYPED | {"title": "Bells", "based_on": "1", "action": "publish"}
    response = editor.post(url("edit", tenant, article_id=article.pk), typed)
    assert response.status_code == 400
    assert SENTENCE in response.content.decode()
    assert titles(find(tenant, "loud")) == ["Bells"]
    monkeypatch.undo()
    assert editor.post(url("edit", tenant, article_id=article.pk), typed).status_code == 302


def test_publishing_a_saved_draft_says_why(editor: Client, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    draft = save_article(tenant_id=tenant.id, title="Prices", body="a;b", language="en")
    fail_with(monkeypatch, RecursionError())
    response = editor.post(url("publish", tenant, article_id=draft.article_id), follow=True)
    assert response.status_code == 200
    assert SENTENCE in response.content.decode()
    with tenant_atomic(tenant.id):
        assert Article.objects.get().status == ArticleStatus.DRAFT


def test_the_error_is_one_of_the_domains(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    draft = save_article(tenant_id=tenant.id, title="Prices", body="a;b", language="en")
    fail_with(monkeypatch, RecursionError())
    with pytest.raises(CannotRead):
        publish_article(tenant_id=tenant.id, article_id=draft.article_id)


@pytest.mark.parametrize("body", ["<!-- later -->", "***", "<script>let a;</script>", "# Heading only"])
def test_a_text_without_a_sentence_is_not_published(editor: Client, tenant: Tenant, body: str) -> None:
    draft = save_article(tenant_id=tenant.id, title="Prices", body=body, language="en")
    with pytest.raises(NothingToQuote):
        publish_article(tenant_id=tenant.id, article_id=draft.article_id)
    response = editor.post(url("new", tenant), TYPED | {"title": "Other", "body": body, "action": "publish"})
    assert response.status_code == 400
    assert "Nothing in this text can be quoted" in response.content.decode()


def test_a_text_that_the_parser_gives_up_on_is_shown_as_it_was_typed(
    editor: Client, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Parser:
        def render(self, source: str) -> str:
            raise RecursionError

    monkeypatch.setattr(rendering, "_PARSER", Parser())
    response = editor.post(url("preview", tenant), {"body": "a <b> & c"})
    assert response.status_code == 200
    assert "<pre>a &lt;b&gt; &amp; c</pre>" in response.content.decode()
    article = save_article(tenant_id=tenant.id, title="Prices", body="a;b", language="en")
    assert editor.get(url("edit", tenant, article_id=article.article_id)).status_code == 200
