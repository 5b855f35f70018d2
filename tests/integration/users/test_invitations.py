"""Joining a company: the link and what it proves, who may accept, how often, how long, and what is left of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.core.management import CommandError
from django.test import Client, override_settings
from django.utils import timezone

from helpdesk.errors import Forbidden
from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.email_addresses import canonical
from helpdesk.users.invitations import accept_as, accept_with_password, find_offer
from helpdesk.users.models import Invitation, Membership, User
from tests.factories import PASSWORD, make_tenant, make_user
from tests.integration.users.joining import (
    NEW_PASSWORD,
    PAGE,
    choose_password,
    invite,
    link_in,
    roles,
    run,
    token_of,
)

pytestmark = pytest.mark.django_db
LIN = "lin@tea.example"
GONE = "This link no longer works"


@pytest.fixture(autouse=True)
def no_limits_from_other_tests() -> None:
    cache.clear()


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant(name="Green Tea", name_zh="绿茶")


def sign_in(client: Client, email: str, password: str = PASSWORD, **data: str) -> Any:
    return client.post("/accounts/login/", {"login": email, "password": password} | data)


def test_a_new_person_chooses_a_password_and_is_in(client: Client, tenant: Tenant) -> None:
    link = invite(tenant, LIN, "editor")
    assert roles(tenant) == {}
    assert not User.objects.exists()

    page = client.get(link, follow=True)
    assert (page.redirect_chain, page.status_code) == ([(PAGE, 302)], 200)
    assert token_of(link) not in page.content.decode()
    joined = choose_password(client, link)
    assert joined.url == f"/desk/{tenant.slug}/inbox/"
    assert "Welcome to Green Tea." in client.get(joined.url).content.decode()
    assert roles(tenant) == {LIN: "editor"}
    assert sign_in(Client(), LIN, NEW_PASSWORD).status_code == 302


def test_opening_the_link_changes_nothing(client: Client, tenant: Tenant) -> None:
    link = invite(tenant, LIN)
    for _ in range(3):
        assert Client().get(link, follow=True).status_code == 200
        assert Client().head(link, follow=True).status_code == 200
    assert (roles(tenant), User.objects.count()) == ({}, 0)
    assert choose_password(client, link).status_code == 302


def test_a_link_works_once(client: Client, tenant: Tenant) -> None:
    link = invite(tenant, LIN)
    choose_password(client, link)
    for browser in (client, Client()):
        again = choose_password(browser, link, password="somebody-elses-password-3")
        assert (again.status_code, GONE in again.content.decode()) == (410, True)
    assert User.objects.get().check_password(NEW_PASSWORD)


@pytest.mark.parametrize("password", ["short", "password123", "", "lin@tea.example"])
def test_a_poor_password_is_refused_and_the_link_still_works(client: Client, tenant: Tenant, password: str) -> None:
    link = invite(tenant, LIN)
    assert choose_password(client, link, password=password).status_code == 200
    assert not User.objects.exists()
    assert choose_password(client, link).status_code == 302


def test_a_poor_password_is_refused_in_chinese_too(client: Client, tenant: Tenant) -> None:
    client.cookies["django_language"] = "zh-hans"
    page = choose_password(client, invite(tenant, LIN), password="short").content.decode()
    assert ("密码太短，至少需要 10 个字符。" in page, "too short" in page) == (True, False)


def test_whoever_has_an_account_signs_in_and_joins(client: Client, tenant: Tenant) -> None:
    other = make_tenant()
    user = make_user(other, Role.OWNER, LIN)
    link = invite(tenant, "  LIN@Tea.Example ")
    page = client.get(link, follow=True).content.decode()
    assert "Sign in, then join" in page
    assert "password1" not in page
    # Without signing in the link does nothing, whatever is posted.
    client.post(PAGE, {"name": "x", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    assert roles(tenant) == {}

    assert sign_in(client, LIN, next=PAGE).url == PAGE
    assert "You'll join with this account" in client.get(PAGE).content.decode()
    assert client.post(PAGE).url == f"/desk/{tenant.slug}/inbox/"
    assert (roles(tenant), roles(other)) == ({LIN: "agent"}, {LIN: "owner"})
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


@pytest.mark.parametrize("has_account", [True, False])
def test_somebody_else_cannot_accept_and_is_told_why(client: Client, tenant: Tenant, has_account: bool) -> None:
    if has_account:
        make_user(None, email=LIN)
    other = make_user(make_tenant(), Role.OWNER)
    client.force_login(other)
    link = invite(tenant, LIN, "owner")
    page = client.get(link, follow=True).content.decode()
    assert f"signed in as {other.email}" in page
    for data in ({}, {"name": "x", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}):
        assert client.post(PAGE, data).status_code == 200
    with pytest.raises(Forbidden):
        accept_as(find_offer(tenant.slug, token_of(link)), other)
    assert roles(tenant) == {}

    assert client.post(PAGE, {"leave": ""}).url == PAGE
    assert "_auth_user_id" not in client.session
    assert LIN in client.get(PAGE).content.decode()


@pytest.mark.parametrize(
    "link",
    [
        PAGE,
        f"{PAGE}?company={{slug}}&token=",
        f"{PAGE}?company={{slug}}&token=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        f"{PAGE}?company={{other}}&token={{token}}",
        f"{PAGE}?company=nowhere&token={{token}}",
        f"{PAGE}?company=%00&token={{token}}",
        f"{PAGE}?company=%ed%a0%80&token=%ed%a0%80",
        f"{PAGE}?token={{token}}",
        f"{PAGE}?company={{slug}}&token={{token}}x",
        f"{PAGE}?company={{slug}}' OR 1=1 --&token=%25",
    ],
)
def test_what_is_no_link_is_gone_and_keeps_no_session(client: Client, tenant: Tenant, link: str) -> None:
    token = token_of(invite(tenant, LIN))
    response = client.get(link.format(slug=tenant.slug, other=make_tenant().slug, token=token))
    assert (response.status_code, GONE in response.content.decode()) == (410, True)
    assert client.cookies.get("sessionid") is None


def test_a_link_expires(client: Client, tenant: Tenant) -> None:
    link = invite(tenant, LIN)
    client.get(link)
    with tenant_atomic(tenant.id):
        invitation = Invitation.objects.get()
        assert timedelta(days=6) < invitation.expires_at - timezone.now() < timedelta(days=7, minutes=1)
        Invitation.objects.update(expires_at=timezone.now())
    assert client.post(PAGE, {"name": "x", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}).status_code == 410
    assert client.get(link).status_code == 410
    assert roles(tenant) == {}


def test_asking_again_ends_the_former_link_and_may_change_the_offer(client: Client, tenant: Tenant) -> None:
    first, second = invite(tenant, LIN, "owner"), invite(tenant, LIN.upper(), "viewer")
    assert client.get(first).status_code == 410
    choose_password(client, second)
    assert roles(tenant) == {LIN: "viewer"}


def test_a_removed_invitation_is_gone(client: Client, tenant: Tenant) -> None:
    link = invite(tenant, LIN)
    client.get(link)
    assert LIN not in run("people", tenant.slug, remove=LIN.upper())
    assert client.get(PAGE).status_code == 410
    with tenant_atomic(tenant.id):
        assert Invitation.objects.get().email == ""
    with pytest.raises(CommandError, match="no member and not invited"):
        run("people", tenant.slug, remove=LIN)


def test_a_removed_member_is_out_at_once(client: Client, tenant: Tenant) -> None:
    choose_password(client, invite(tenant, LIN))
    assert client.get(f"/desk/{tenant.slug}/inbox/").status_code == 200
    run("people", tenant.slug, remove=LIN)
    assert client.get(f"/desk/{tenant.slug}/inbox/").status_code == 404


def test_people_lists_members_and_open_invitations(tenant: Tenant) -> None:
    member = make_user(tenant, Role.ADMIN)
    invite(tenant, LIN)
    make_user(make_tenant(), email="foreign@tea.example")
    said = run("people", tenant.slug)
    assert [line.split()[:2] for line in said.splitlines()] == [[member.email, "admin"], [LIN, "invited"]]


@pytest.mark.parametrize("role", list(Role))
def test_a_member_is_not_invited_in_whatever_role(tenant: Tenant, role: Role) -> None:
    make_user(tenant, Role.AGENT, LIN)
    with pytest.raises(CommandError, match=f"{LIN} is a member already, as agent"):
        run("invite_person", tenant.slug, LIN, role=role.value)
    assert roles(tenant) == {LIN: "agent"}


def test_an_invitation_never_changes_a_role(client: Client, tenant: Tenant) -> None:
    user = make_user(None, email=LIN)
    link = invite(tenant, LIN, "owner")
    with tenant_atomic(tenant.id):
        Membership.objects.create(user=user, role=Role.VIEWER)
    client.force_login(user)
    client.get(link)
    client.post(PAGE)
    assert roles(tenant) == {LIN: "viewer"}


def test_a_member_who_never_had_a_password_is_given_a_link(client: Client, tenant: Tenant) -> None:
    user = User.objects.create_user(LIN, name="Lin")
    with tenant_atomic(tenant.id):
        Membership.objects.create(user=user, role=Role.AGENT)
    choose_password(client, invite(tenant, LIN))
    user.refresh_from_db()
    assert (user.check_password(NEW_PASSWORD), roles(tenant)) == (True, {LIN: "agent"})


def test_an_account_that_is_switched_off_stays_off(client: Client, tenant: Tenant) -> None:
    for user in (make_user(None, email=LIN), User.objects.create_user("wu@tea.example")):
        User.objects.filter(pk=user.pk).update(is_active=False)
        link = invite(tenant, user.email)
        assert "is deactivated" in client.get(link, follow=True).content.decode()
        choose_password(client, link)
        with pytest.raises(Forbidden):
            accept_with_password(find_offer(tenant.slug, token_of(link)), name="x", password=NEW_PASSWORD)
        with pytest.raises(Forbidden):
            accept_as(find_offer(tenant.slug, token_of(link)), User.objects.get(pk=user.pk))
    assert roles(tenant) == {}


def test_two_offers_of_two_companies_make_one_person(tenant: Tenant) -> None:
    other = make_tenant()
    offers = [find_offer(each.slug, token_of(invite(each, LIN))) for each in (tenant, other)]
    accept_with_password(offers[0], name="Lin", password=NEW_PASSWORD)
    # The second page was open meanwhile, and believes that there is no account.
    with pytest.raises(Forbidden):
        accept_with_password(offers[1], name="Mallory", password="mallorys-password-9")
    assert (roles(tenant), roles(other)) == ({LIN: "agent"}, {})
    assert User.objects.get().check_password(NEW_PASSWORD)


@pytest.mark.parametrize(
    "email",
    ["lin@tea", "lin", "@tea.example", "lin@@tea.example", "", "lin@tea.example\nBcc: x@y.example", "l in@tea.example",
     "ｌin@tea.example", "lın@tea.example", "liN\u0307@tea.example", "lin@te\u0430.example", "\u212alin@tea.example",
     "ſam@tea.example", "lin@té.example", "lin\u200b@tea.example", "lin@tea.example\x00"],
)  # fmt: skip
def test_an_address_has_one_spelling_or_is_none(tenant: Tenant, email: str) -> None:
    with pytest.raises(CommandError):
        run("invite_person", tenant.slug, email, role="agent")
    with tenant_atomic(tenant.id):
        assert not Invitation.objects.exists()


@pytest.mark.parametrize("email", ["LIN@TEA.EXAMPLE", " lin@tea.example\n", "Lin@tea.Example"])
def test_spellings_of_an_address_are_the_same_person(email: str) -> None:
    assert canonical(email) == LIN


def test_a_look_alike_is_not_the_address_and_gets_no_link(client: Client) -> None:
    user = make_user(None, email="sik@tea.example")
    for email in ("\u017fik@tea.example", "s\u0131k@tea.example", "sik@te\u0430.example"):
        sign_in(client, email)
        client.post("/accounts/password/reset/", {"email": email})
    assert "_auth_user_id" not in client.session
    assert [message for message in mail.outbox if "/password/reset/key/" in message.body] == []
    # Forms make letters small before we see them, and this one becomes a k: the link goes to the account's own address.
    client.post("/accounts/password/reset/", {"email": "si\u212a@tea.example"})
    assert mail.outbox[-1].to == [user.email]


def test_only_a_digest_is_stored_and_only_ids_are_logged(
    client: Client, tenant: Tenant, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    link = invite(tenant, LIN)
    capsys.readouterr()
    choose_password(client, link)
    logged = caplog.text + "".join(capsys.readouterr())
    assert "invitation_accepted" in logged
    assert [text for text in (LIN, token_of(link), "Lin Wu", NEW_PASSWORD) if text in logged] == []
    with tenant_atomic(tenant.id):
        [row] = Invitation.objects.values()
    assert token_of(link) not in str(row)
    assert (row["accepted_by_id"], row["email"], row["name"]) == (User.objects.get().pk, "", "")


@override_settings(SENDS_MAIL=True)
@pytest.mark.parametrize(("language", "words"), [("en", "Join Green Tea on"), ("zh", "加入 Glassdesk 上的绿茶")])
def test_with_mail_the_link_goes_to_the_mailbox_alone(client: Client, language: str, words: str) -> None:
    tenant = make_tenant(name="Green Tea", name_zh="绿茶", default_language=language)
    said = run("invite_person", tenant.slug, LIN, role="agent", address="https://desk.example/")
    [message] = mail.outbox
    assert (message.to, PAGE in said, words in message.subject) == ([LIN], False, True)
    assert "https://desk.example/accounts/invitation/?" in message.body
    assert choose_password(client, link_in(message.body)).status_code == 302


@override_settings(SENDS_MAIL=True, EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend", EMAIL_PORT=9)
def test_a_mail_that_cannot_be_sent_invites_nobody() -> None:
    with pytest.raises(CommandError, match="so nobody was invited"):
        run("create_company", "tea", name="Tea", contact="a@tea.example", owner=LIN)
    assert not Tenant.objects.exists()


def test_a_company_name_adds_no_header_to_a_mail(settings: Any) -> None:
    settings.SENDS_MAIL = True
    tenant = make_tenant(name="Tea\r\nBcc: all@tea.example")
    run("invite_person", tenant.slug, LIN, role="agent")
    assert (mail.outbox[0].subject, mail.outbox[0].bcc) == ("Join Tea Bcc: all@tea.example on Glassdesk", [])


@pytest.mark.parametrize("state", ["new", "sign_in", "join", "other", "gone"])
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_state_stands_in_our_frame(client: Client, tenant: Tenant, state: str, language: str) -> None:
    client.cookies["django_language"] = language
    if state in {"sign_in", "join"}:
        user = make_user(None, email=LIN)
        if state == "join":
            client.force_login(user)
    elif state == "other":
        client.force_login(make_user(make_tenant()))
    page = client.get(PAGE if state == "gone" else invite(tenant, LIN), follow=True)
    body = page.content.decode()
    assert f'<html lang="{language}">' in body
    assert "desk/account.css" in body
    assert ("绿茶" in body) == (language == "zh-hans" and state != "gone")
    assert page["Referrer-Policy"] == "same-origin"


def test_a_forged_acceptance_is_refused(tenant: Tenant) -> None:
    client = Client(enforce_csrf_checks=True)
    client.get(invite(tenant, LIN))
    assert client.post(PAGE, {"name": "x", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}).status_code == 403
    assert not User.objects.exists()
