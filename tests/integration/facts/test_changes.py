"""Each change of the desk is recorded as a fact, which is there exactly if the change is, and quotes nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conversations.assistants import change_assistant
from conversations.models import Conversation
from conversations.queries import default_assistant
from helpdesk.api_keys.domain import recognise
from helpdesk.facts.kinds import user_actor
from helpdesk.facts.models import Fact
from helpdesk.operations.companies import remove_person
from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.invitations import accept_with_password, find_offer, invite, revoke_invitation
from helpdesk.users.models import Membership
from knowledge.domain import archive_article, publish_article, restore_article, save_article
from tests.factories import make_api_key, make_tenant, make_user
from tests.integration.knowledge.articles import publish
from tests.integration.tracing.rows import make_trace
from tests.integration.users.joining import token_of
from tracing.holds import place_hold, release_hold
from tracing.models import LegalHold
from tracing.read import open_trace_for_client, open_trace_from_shell
from tracing.retention import set_policy

pytestmark = pytest.mark.django_db(transaction=True)

WORDS = "The grey okapi"
ADDRESS = "okapi@example.org"
# A fact's kind, what it is about, who did it, and what it says.
Recorded = tuple[str, str, str, dict[str, Any]]
Change = Callable[[], object]
Prepare = Callable[[Tenant], tuple[Change, list[Recorded]]]


def publishing(tenant: Tenant) -> tuple[Change, list[Recorded]]:
    person = make_user(tenant, Role.EDITOR)
    version = save_article(tenant_id=tenant.id, title=WORDS, body=WORDS, language="en")
    fact = ("article.published", str(version.article_id), f"user {person.pk}", {"version": 1})
    return (
        lambda: publish_article(tenant_id=tenant.id, article_id=version.article_id, actor=user_actor(person)),
        [fact],
    )


def archiving(tenant: Tenant) -> tuple[Change, list[Recorded]]:
    article = publish(tenant, WORDS, WORDS, embed=False)
    return (
        lambda: archive_article(tenant_id=tenant.id, article_id=article.id),
        [("article.archived", str(article.id), "system ", {})],
    )


def restoring(tenant: Tenant) -> tuple[Change, list[Recorded]]:
    article = publish(tenant, WORDS, WORDS, embed=False)
    archive_article(tenant_id=tenant.id, article_id=article.id)
    return (
        lambda: restore_article(tenant_id=tenant.id, article_id=article.id),
        [("article.restored", str(article.id), "system ", {"status": "published"})],
    )


def changing_the_assistant(tenant: Tenant) -> tuple[Change, list[Recorded]]:
    person = make_user(tenant, Role.OWNER)
    with tenant_atomic(tenant.id):
        assistant = default_assistant()
    values = {"name": WORDS, "instructions": WORDS, "seed": assistant.seed}
    return (
        lambda: change_assistant(tenant_id=tenant.id, based_on=1, values=values, actor=user_actor(person)),
        [("assistant.changed", str(assistant.id), f"user {person.pk}", {"version": 2, "settings": 2})],
    )


def reading_a_trace(tenant: Tenant) -> tuple[Change, list[Recorded]]:
    trace = make_trace(tenant)
    return (
        lambda: open_trace_from_shell(trace=trace, reason=WORDS),
        [("trace.read", str(trace.id), "system ", {"opened": 1})],
    )


def reading_a_trace_with_a_key(tenant: Tenant) -> tuple[Change, list[Recorded]]:
    client, trace = recognise(make_api_key(tenant)), make_trace(tenant)
    return (
        lambda: open_trace_for_client(trace=trace, client=client, reason=WORDS),
        [("trace.read", str(trace.id), f"api_key {client.key_id}", {"opened": 1})],
    )


def setting_retention(tenant: Tenant) -> tuple[Change, list[Recorded]]:
    person = make_user(tenant, Role.OWNER)
    data = {"change": "policy_set", "prompts": 5, "answers": 9, "metrics": None}
    return (
        lambda: set_policy(prompts=5, answers=9, metrics=None, user=person),
        [("retention.changed", str(tenant.id), f"user {person.pk}", data)],
    )


def holding(tenant: Tenant) -> tuple[Change, list[Recorded]]:
    trace = make_trace(tenant)
    days = {"prompts": None, "answers": None, "metrics": None}

    def place_and_release() -> None:
        hold = place_hold(Conversation.objects.get(), user=None, reason=WORDS)
        release_hold(LegalHold.objects.get(id=hold.id), user=None, reason=WORDS)

    changes = ("hold_placed", "hold_released")
    facts = [
        ("retention.changed", str(trace.conversation_id), "system ", {"change": change, **days}) for change in changes
    ]
    return place_and_release, facts


CHANGES = (
    publishing,
    archiving,
    restoring,
    changing_the_assistant,
    reading_a_trace,
    reading_a_trace_with_a_key,
    setting_retention,
    holding,
)


def recorded(tenant: Tenant) -> list[Recorded]:
    """The tenant's facts that are about no conversation and no batch."""
    with tenant_atomic(tenant.id):
        facts = Fact.objects.filter(conversation_id=None).exclude(kind__startswith="api_key.").order_by("number")
        return [(fact.kind, str(fact.subject_id), f"{fact.actor} {fact.actor_id}", fact.data) for fact in facts]


@pytest.mark.parametrize("prepare", CHANGES)
def test_a_change_is_told_of_by_its_fact(prepare: Prepare) -> None:
    tenant = make_tenant()
    change, expected = prepare(tenant)
    before = recorded(tenant)
    with tenant_atomic(tenant.id):
        change()
    assert recorded(tenant)[len(before) :] == expected
    assert WORDS not in str(recorded(tenant))


@pytest.mark.parametrize("prepare", CHANGES)
def test_a_change_that_is_rolled_back_takes_its_fact_with_it(prepare: Prepare) -> None:
    tenant = make_tenant()
    change, _ = prepare(tenant)
    before = recorded(tenant)
    with pytest.raises(ZeroDivisionError), tenant_atomic(tenant.id):
        change()
        raise ZeroDivisionError
    assert recorded(tenant) == before


@pytest.mark.parametrize("repeated", ["publish", "archive", "restore", "assistant", "policy"])
def test_what_changes_nothing_is_no_fact(repeated: str) -> None:
    tenant = make_tenant()
    article = publish(tenant, WORDS, WORDS, embed=False)
    if repeated == "archive":
        archive_article(tenant_id=tenant.id, article_id=article.id)
    with tenant_atomic(tenant.id):
        set_policy(prompts=5, answers=9, metrics=None)
    changes: dict[str, Change] = {
        "publish": lambda: publish_article(tenant_id=tenant.id, article_id=article.id),
        "archive": lambda: archive_article(tenant_id=tenant.id, article_id=article.id),
        "restore": lambda: restore_article(tenant_id=tenant.id, article_id=article.id),
        "assistant": lambda: change_assistant(tenant_id=tenant.id, based_on=1, values={"name": "Moss"}),
        "policy": lambda: set_policy(prompts=5, answers=9, metrics=None),
    }
    before = recorded(tenant)
    with tenant_atomic(tenant.id):
        changes[repeated]()
    assert recorded(tenant) == before


def test_invitations_and_memberships_are_told_of_by_id_and_role() -> None:
    tenant = make_tenant()
    replaced = invite(tenant, email=ADDRESS, name=WORDS, role=Role.AGENT).invitation
    offered = invite(tenant, email=ADDRESS, name=WORDS, role=Role.EDITOR)
    person = accept_with_password(find_offer(tenant.slug, token_of(offered.path)), name=WORDS, password=ADDRESS)
    with tenant_atomic(tenant.id):
        membership_id = str(Membership.objects.get(user=person).id)
    remove_person(tenant, email=ADDRESS)
    joined = {"membership_id": membership_id, "role": "editor"}
    assert recorded(tenant) == [
        ("invitation.created", str(replaced.id), "system ", {"role": "agent"}),
        ("invitation.revoked", str(replaced.id), "system ", {}),
        ("invitation.created", str(offered.invitation.id), "system ", {"role": "editor"}),
        ("invitation.accepted", str(offered.invitation.id), f"user {person.pk}", joined),
        ("membership.ended", membership_id, "system ", {"person": person.pk, "role": "editor"}),
    ]


@pytest.mark.parametrize("end", [revoke_invitation, remove_person])
def test_an_invitation_that_is_not_sent_or_revoked_after_all_is_told_of_by_nothing(
    end: Callable[..., object],
) -> None:
    tenant = make_tenant()
    with pytest.raises(ZeroDivisionError), tenant_atomic(tenant.id):
        invite(tenant, email=ADDRESS, name=WORDS, role=Role.AGENT)
        end(tenant, email=ADDRESS)
        raise ZeroDivisionError
    assert recorded(tenant) == []
