"""The desk's page about people: who may, what it shows, inviting, changing roles, removing."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.invitations import invite
from helpdesk.users.models import Invitation, Membership, User
from tests.factories import make_tenant, make_user
from tests.integration.users.joining import choose_password, link_in, roles
from tracing.models import KeyEvent

pytestmark = pytest.mark.django_db
LIN = "lin@tea.example"
FORM = {"email": LIN, "name": "Lin", "role": "agent"}
ALLOWED = [Role.OWNER, Role.ADMIN]
REFUSED = [Role.EDITOR, Role.REVIEWER, Role.AGENT, Role.VIEWER]


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


def page(tenant: Tenant) -> str:
    return reverse("people:list", args=[tenant.slug])


def member(tenant: Tenant, user: User) -> Membership:
    with tenant_atomic(tenant.id):
        return Membership.objects.get(user=user)


def open_ones(tenant: Tenant) -> list[tuple[str, str]]:
    with tenant_atomic(tenant.id):
        rows = Invitation.objects.filter(accepted_at__isnull=True, revoked_at__isnull=True)
        return list(rows.order_by("email").values_list("email", "role"))


def notes(tenant: Tenant) -> list[tuple[str, dict[str, Any]]]:
    with tenant_atomic(tenant.id):
        return list(KeyEvent.objects.order_by("sequence").values_list("kind", "figures"))


def act(client: Client, tenant: Tenant, action: str, subject: uuid.UUID, **data: str) -> Any:
    return client.post(reverse(f"people:{action}", args=[tenant.slug, subject]), data)


def calls(client: Client, tenant: Tenant, user: User, invitation_id: uuid.UUID) -> list[Any]:
    membership_id = member(tenant, user).id
    return [
        client.get(page(tenant)),
        client.post(page(tenant), FORM),
        act(client, tenant, "resend", invitation_id),
        act(client, tenant, "revoke", invitation_id),
        act(client, tenant, "role", membership_id, role="viewer"),
        act(client, tenant, "remove", membership_id),
    ]


def test_anonymous_outsiders_and_other_roles_are_refused_and_change_nothing(client: Client, tenant: Tenant) -> None:
    user, owner = make_user(tenant), make_user(tenant, Role.OWNER)
    waiting = invite(tenant, email="wu@tea.example", name="", role=Role.AGENT).invitation
    before = roles(tenant), open_ones(tenant)
    assert {response.url.split("?")[0] for response in calls(client, tenant, user, waiting.id)} == {"/accounts/login/"}
    client.force_login(make_user(make_tenant(), Role.OWNER))
    assert {response.status_code for response in calls(client, tenant, user, waiting.id)} == {404}
    for role in REFUSED:
        client.force_login(make_user(tenant, role))
        assert {response.status_code for response in calls(client, tenant, user, waiting.id)} == {403}
        assert page(tenant) not in client.get(reverse("desk:inbox", args=[tenant.slug])).content.decode()
    kept = {email: role for email, role in roles(tenant).items() if email in before[0]}
    assert (kept, open_ones(tenant)) == before
    assert roles(tenant)[owner.email] == "owner"


@pytest.mark.parametrize("role", ALLOWED)
def test_owners_and_admins_are_served(client: Client, tenant: Tenant, role: Role) -> None:
    user = make_user(tenant)
    waiting = invite(tenant, email="wu@tea.example", name="", role=Role.AGENT).invitation
    client.force_login(make_user(tenant, role))
    statuses = [response.status_code for response in calls(client, tenant, user, waiting.id)]
    # The resent invitation is another one: the old one cannot be revoked any more.
    assert statuses == [200, 200, 200, 404, 302, 302]
    assert page(tenant) in client.get(reverse("desk:inbox", args=[tenant.slug])).content.decode()


def test_another_companys_people_cannot_be_touched_from_ones_own_desk(client: Client, tenant: Tenant) -> None:
    stranger, own = make_user(tenant), make_tenant()
    waiting = invite(tenant, email=LIN, name="", role=Role.AGENT).invitation
    client.force_login(make_user(own, Role.OWNER))
    target = member(tenant, stranger).id
    answers = [
        act(client, own, "role", target, role="viewer"), act(client, own, "remove", target),
        act(client, own, "resend", waiting.id), act(client, own, "revoke", waiting.id),
    ]  # fmt: skip
    assert [answer.status_code for answer in answers] == [404] * 4
    assert (roles(tenant), open_ones(tenant)) == ({stranger.email: "agent"}, [(LIN, "agent")])


def test_every_action_carries_a_form_token(tenant: Tenant) -> None:
    client = Client(enforce_csrf_checks=True)
    user, waiting = make_user(tenant), invite(tenant, email=LIN, name="", role=Role.AGENT).invitation
    client.force_login(make_user(tenant, Role.OWNER))
    assert [response.status_code for response in calls(client, tenant, user, waiting.id)] == [200] + [403] * 5


@pytest.mark.parametrize("action", ["role", "remove", "resend", "revoke"])
def test_actions_are_posts(client: Client, tenant: Tenant, action: str) -> None:
    client.force_login(make_user(tenant, Role.OWNER))
    assert client.get(reverse(f"people:{action}", args=[tenant.slug, uuid.uuid4()])).status_code == 405


def test_an_invitation_without_mail_shows_its_link_once(client: Client, tenant: Tenant) -> None:
    client.force_login(owner := make_user(tenant, Role.OWNER))
    shown = client.post(page(tenant), FORM).content.decode()
    assert link_in(shown.replace("<", " ").replace(">", " ").replace("&amp;", "&")).startswith("/accounts/invitation/")
    assert "token=" not in client.get(page(tenant)).content.decode()
    link = link_in(shown.replace("<", " ").replace(">", " ").replace("&amp;", "&"))
    choose_password(Client(), link)
    assert roles(tenant) == {owner.email: "owner", LIN: "agent"}
    person = User.objects.get(email=LIN)
    assert notes(tenant) == [
        ("person_invited", {"user": owner.pk, "role": "agent"}),
        ("person_joined", {"user": person.pk, "person": person.pk, "role": "agent"}),
    ]


@override_settings(SENDS_MAIL=True)
def test_with_mail_the_link_goes_to_the_mailbox_alone(client: Client, tenant: Tenant) -> None:
    client.force_login(make_user(tenant, Role.ADMIN))
    response = client.post(page(tenant), FORM, follow=True)
    [message] = mail.outbox
    assert (message.to, "token=" in response.content.decode()) == ([LIN], False)
    assert f"An invitation is on its way to {LIN}." in response.content.decode()
    first = link_in(message.body)
    with tenant_atomic(tenant.id):
        waiting = Invitation.objects.get().id
    act(client, tenant, "resend", waiting)
    assert choose_password(Client(), first).status_code == 410
    assert choose_password(Client(), link_in(mail.outbox[1].body)).status_code == 302


@override_settings(SENDS_MAIL=True, EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend", EMAIL_PORT=9)
def test_a_mail_that_cannot_be_sent_invites_nobody(client: Client, tenant: Tenant) -> None:
    client.force_login(make_user(tenant, Role.OWNER))
    response = client.post(page(tenant), FORM)
    assert (response.status_code, open_ones(tenant)) == (503, [])
    assert "could not be sent" in response.content.decode()
    waiting = invite(tenant, email=LIN, name="", role=Role.AGENT).invitation
    act(client, tenant, "resend", waiting.id)
    with tenant_atomic(tenant.id):
        assert Invitation.objects.get(id=waiting.id).revoked_at is None


def test_revoking_ends_the_link(client: Client, tenant: Tenant) -> None:
    client.force_login(make_user(tenant, Role.OWNER))
    invited = invite(tenant, email=LIN, name="", role=Role.AGENT)
    assert act(client, tenant, "revoke", invited.invitation.id).status_code == 302
    assert act(client, tenant, "revoke", invited.invitation.id).status_code == 404
    assert choose_password(Client(), invited.path).status_code == 410


def test_an_expired_invitation_is_shown_and_can_be_sent_again(client: Client, tenant: Tenant) -> None:
    client.force_login(make_user(tenant, Role.OWNER))
    waiting = invite(tenant, email=LIN, name="", role=Role.AGENT).invitation
    with tenant_atomic(tenant.id):
        Invitation.objects.update(expires_at=timezone.now() - timedelta(days=2))
    assert "Expired" in client.get(page(tenant)).content.decode()
    assert act(client, tenant, "resend", waiting.id).status_code == 200
    with tenant_atomic(tenant.id):
        assert Invitation.objects.get(revoked_at__isnull=True).is_open_at(timezone.now())


@pytest.mark.parametrize("email", ["lin", "lin@té.example", "", "person@@x.example"])
def test_a_wrong_address_is_said_at_its_field(client: Client, tenant: Tenant, email: str) -> None:
    client.force_login(make_user(tenant, Role.OWNER))
    response = client.post(page(tenant), {**FORM, "email": email})
    assert (response.status_code, "field-wrong" in response.content.decode(), open_ones(tenant)) == (400, True, [])


def test_a_member_is_not_invited(client: Client, tenant: Tenant) -> None:
    client.force_login(owner := make_user(tenant, Role.OWNER))
    response = client.post(page(tenant), {**FORM, "email": owner.email})
    assert (response.status_code, "is a member already" in response.content.decode()) == (400, True)


def test_a_changed_role_holds_from_the_next_request_on(client: Client, tenant: Tenant) -> None:
    owner, user = make_user(tenant, Role.OWNER), make_user(tenant, Role.ADMIN)
    theirs = Client()
    theirs.force_login(user)
    assert theirs.get(page(tenant)).status_code == 200
    client.force_login(owner)
    act(client, tenant, "role", member(tenant, user).id, role="viewer")
    assert theirs.get(page(tenant)).status_code == 403
    act(client, tenant, "remove", member(tenant, user).id)
    assert theirs.get(reverse("desk:inbox", args=[tenant.slug])).status_code == 404
    assert notes(tenant) == [
        ("role_changed", {"user": owner.pk, "person": user.pk, "role": "viewer", "before": "admin"}),
        ("person_removed", {"user": owner.pk, "person": user.pk, "role": "viewer"}),
    ]


def test_removing_ends_an_open_invitation_of_the_same_person(client: Client, tenant: Tenant) -> None:
    user = make_user(tenant)
    with tenant_atomic(tenant.id):
        Invitation.objects.create(
            email=user.email, role="agent", token_digest="d", expires_at=timezone.now() + timedelta(days=1)
        )
    client.force_login(make_user(tenant, Role.OWNER))
    act(client, tenant, "remove", member(tenant, user).id)
    assert open_ones(tenant) == []


@pytest.mark.parametrize("action", ["role", "remove"])
def test_the_last_owner_stays(client: Client, tenant: Tenant, action: str) -> None:
    client.force_login(owner := make_user(tenant, Role.OWNER))
    make_user(tenant, Role.ADMIN)
    response = act(client, tenant, action, member(tenant, owner).id, role="admin")
    shown = client.get(response.url).content.decode()
    assert ("A company needs an owner" in shown, roles(tenant)[owner.email]) == (True, "owner")
    assert notes(tenant) == []
    second = make_user(tenant, Role.OWNER)
    assert act(client, tenant, action, member(tenant, owner).id, role="admin").url == reverse("desk:home")
    assert roles(tenant)[second.email] == "owner"
    assert roles(tenant).get(owner.email) in {"admin", None}


@pytest.mark.parametrize(
    "attempt",
    [
        lambda client, tenant, owner: act(client, tenant, "role", member(tenant, owner).id, role="agent"),
        lambda client, tenant, owner: act(client, tenant, "remove", member(tenant, owner).id),
        lambda client, tenant, owner: client.post(page(tenant), {**FORM, "role": "owner"}),
        lambda client, tenant, owner: act(
            client, tenant, "resend",
            invite(tenant, email="wu@tea.example", name="", role=Role.OWNER).invitation.id,
        ),
        lambda client, tenant, owner: act(
            client, tenant, "revoke",
            invite(tenant, email="wu@tea.example", name="", role=Role.OWNER).invitation.id,
        ),
    ],
    ids=["demote", "remove", "invite", "resend", "revoke"],
)  # fmt: skip
def test_an_admin_touches_no_owner(
    client: Client, tenant: Tenant, attempt: Callable[[Client, Tenant, User], Any]
) -> None:
    owner = make_user(tenant, Role.OWNER)
    make_user(tenant, Role.OWNER)
    client.force_login(make_user(tenant, Role.ADMIN))
    assert attempt(client, tenant, owner).status_code in {400, 403}
    assert roles(tenant)[owner.email] == "owner"
    assert [role for email, role in open_ones(tenant) if email == LIN] == []


def test_an_admin_makes_nobody_an_owner(client: Client, tenant: Tenant) -> None:
    client.force_login(admin := make_user(tenant, Role.ADMIN))
    assert act(client, tenant, "role", member(tenant, admin).id, role="owner").status_code == 400
    assert 'value="owner"' not in client.get(page(tenant)).content.decode()
    assert roles(tenant) == {admin.email: "admin"}


def test_the_page_says_who_was_seen_when_after_a_real_sign_in(client: Client, tenant: Tenant) -> None:
    owner = make_user(tenant, Role.OWNER)
    client.post("/accounts/login/", {"login": owner.email, "password": "correct-horse-battery-staple"})
    make_user(tenant)
    client.get(reverse("desk:inbox", args=[tenant.slug]))
    shown = client.get(page(tenant)).content.decode()
    assert ("Last seen" in shown, "Not seen yet" in shown, "The only owner" in shown) == (True, True, True)


@pytest.mark.parametrize("count", [1, 3])
def test_the_page_takes_a_fixed_number_of_queries(
    client: Client, tenant: Tenant, count: int, django_assert_num_queries: Any
) -> None:
    client.force_login(make_user(tenant, Role.OWNER))
    for number in range(count):
        make_user(tenant)
        invite(tenant, email=f"{number}{LIN}", name="", role=Role.AGENT)
    client.get(page(tenant))
    with django_assert_num_queries(14):
        response = client.get(page(tenant))
    assert (len(response.context["rows"]), len(response.context["invitations"])) == (count + 1, count)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_page_speaks_both_languages(client: Client, tenant: Tenant, language: str) -> None:
    client.cookies["django_language"] = language
    client.force_login(make_user(tenant, Role.OWNER))
    shown = client.get(page(tenant)).content.decode()
    assert (("邀请同事" in shown), ("Invite someone" in shown)) == (language == "zh-hans", language == "en")
