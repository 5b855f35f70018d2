"""The operators' pages: who gets in, what they show, and that they show nothing that anybody wrote."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from django.core.management import CommandError
from django.test import Client
from django.urls import get_resolver

from helpdesk.operations.operators import site
from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.users.models import User
from helpdesk.users.sessions import COMPANY_ENTRY
from knowledge.domain import publish_article, save_article
from tests.factories import make_question, make_tenant, make_user
from tests.integration.users.joining import run

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.integration.operations.operator_urls")]
HOME = "/operators/"


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant("mossgate", name="Mossgate Plants")


def operator() -> User:
    user = make_user()
    run("operators", add=user.email)
    user.refresh_from_db()
    return user


def as_client(user: User, *, with_second_step: bool = True, **entries: Any) -> Client:
    client = Client()
    client.force_login(user)
    session = client.session
    methods = [{"method": "password"}, *([{"method": "mfa", "type": "totp"}] if with_second_step else [])]
    session[AUTHENTICATION_METHODS_SESSION_KEY] = methods
    session[f"{AUTHENTICATION_METHODS_SESSION_KEY}_user"] = str(user.pk)
    for name, value in entries.items():
        session[name] = value
    session.save()
    return client


def test_an_operator_with_a_second_step_gets_in(tenant: Tenant) -> None:
    client = as_client(operator())
    page = client.get(HOME).content.decode()
    assert "replies wait for a worker" in page
    assert "mossgate" in client.get(f"{HOME}tenants/tenant/").content.decode()


def test_nobody_else_does(tenant: Tenant) -> None:
    somebody = operator()
    assert as_client(somebody, with_second_step=False).get(HOME).status_code == 404
    assert as_client(somebody, **{COMPANY_ENTRY: str(tenant.id)}).get(HOME).status_code == 404
    for role in Role:
        assert as_client(make_user(tenant, role)).get(HOME).status_code == 404
    assert Client().get(HOME)["Location"].startswith("/accounts/login/?next=")
    User.objects.filter(pk=somebody.pk).update(is_active=False)
    assert as_client(somebody).get(HOME)["Location"].startswith("/accounts/login/")


def test_an_operator_is_one_until_the_command_says_otherwise(tenant: Tenant) -> None:
    somebody = operator()
    client = as_client(somebody)
    assert run("operators") == f"{somebody.email}\n"
    run("operators", remove=somebody.email)
    assert client.get(HOME).status_code == 404
    with pytest.raises(CommandError, match="no account"):
        run("operators", add="nobody@example.org")


def test_a_company_shows_its_people_and_nothing_that_anybody_wrote(tenant: Tenant) -> None:
    member = make_user(tenant, Role.EDITOR)
    version = save_article(tenant_id=tenant.id, title="Secret title", body="Secret body.", language="en")
    publish_article(tenant_id=tenant.id, article_id=version.article_id)
    make_question(tenant, "Secret question?")
    client = as_client(operator())
    paths = [
        HOME, f"{HOME}tenants/tenant/", f"{HOME}tenants/tenant/{tenant.id}/change/", f"{HOME}pending/openwork/",
        f"{HOME}tenants/tenant/{tenant.id}/history/",
    ]  # fmt: skip
    pages = [client.get(path) for path in paths]
    assert {page.status_code for page in pages} == {200}
    texts = [page.content.decode() for page in pages]
    assert not any("Secret" in text for text in texts)
    assert f"{member.email} · editor" in texts[2]
    assert "embeddings" in texts[3]


def test_only_tables_without_text_are_registered() -> None:
    assert {model._meta.label for model in site._registry} == {"tenants.Tenant", "pending.OpenWork"}


def test_the_account_is_changed_on_its_own_pages_only() -> None:
    client = as_client(operator())
    found = {path: client.get(HOME + path) for path in ("password_change/", "logout/", "login/")}
    assert {path: (page.status_code, page.headers.get("Location")) for path, page in found.items()} == {
        "password_change/": (302, "/accounts/password/change/"),
        "logout/": (302, "/accounts/logout/"),
        "login/": (404, None),
    }


def test_nothing_can_be_changed(tenant: Tenant) -> None:
    client = as_client(operator())
    for path in ("tenants/tenant/add/", f"tenants/tenant/{tenant.id}/delete/", "pending/openwork/add/"):
        assert client.post(HOME + path, {"slug": "taken"}).status_code == 403
    assert client.post(f"{HOME}tenants/tenant/{tenant.id}/change/", {"name": "Taken"}).status_code == 403
    tenant.refresh_from_db()
    assert tenant.name == "Mossgate Plants"


@pytest.mark.urls("helpdesk.urls")
def test_it_is_not_there_unless_switched_on() -> None:
    assert "operators" not in get_resolver().namespace_dict
    assert as_client(operator()).get(HOME).status_code == 404
