"""Two people with one link at the same moment: one of them is in, and the other is told that the link is used."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from helpdesk.errors import GlassdeskError
from helpdesk.users.invitations import Offer, accept_as, accept_with_password, find_offer
from helpdesk.users.models import User
from tests.factories import make_tenant, make_user
from tests.integration.users.joining import invite, roles, token_of

pytestmark = pytest.mark.django_db(transaction=True)
LIN = "lin@tea.example"


def at_once(*acts: Callable[[], object]) -> list[str]:
    """What became of each: the code of its error, or "in"."""
    outcomes: list[str] = []
    start = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> None:
        try:
            start.wait(10)
            act()
            outcomes.append("in")
        except GlassdeskError as error:
            outcomes.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return sorted(outcomes)


def with_password(offer: Offer, password: str) -> Callable[[], object]:
    return lambda: accept_with_password(offer, name="Lin", password=password)


def test_of_four_new_people_one_is_in() -> None:
    tenant = make_tenant()
    offer = find_offer(tenant.slug, token_of(invite(tenant, LIN)))
    outcomes = at_once(*(with_password(offer, f"long-password-{number}") for number in range(4)))
    assert outcomes == ["in", "invitation_gone", "invitation_gone", "invitation_gone"]
    assert (roles(tenant), User.objects.count()) == ({LIN: "agent"}, 1)


def test_of_four_browsers_of_one_account_one_joins() -> None:
    tenant, user = make_tenant(), make_user(None, email=LIN)
    offer = find_offer(tenant.slug, token_of(invite(tenant, LIN)))
    outcomes = at_once(*[lambda: accept_as(offer, user)] * 4)
    assert outcomes == ["in", "invitation_gone", "invitation_gone", "invitation_gone"]


def test_links_of_two_companies_make_one_account() -> None:
    tenants = [make_tenant(), make_tenant()]
    offers = [find_offer(each.slug, token_of(invite(each, LIN))) for each in tenants]
    outcomes = at_once(*(with_password(offer, f"long-password-{offer.tenant.slug}") for offer in offers))
    assert outcomes in (["in", "invitation_gone"], ["forbidden", "in"])
    assert (User.objects.count(), sum(len(roles(tenant)) for tenant in tenants)) == (1, 1)
