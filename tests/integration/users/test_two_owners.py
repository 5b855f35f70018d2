"""Changes of people at the same moment: a company keeps an owner, and nobody acts with a role that they have just lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.models import Membership, User
from helpdesk.users.people import change_role, remove_member
from tests.factories import make_tenant, make_user
from tests.integration.users.joining import roles
from tests.integration.users.test_two_acceptances import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def member(tenant: Tenant, user: User) -> Membership:
    with tenant_atomic(tenant.id):
        return Membership.objects.select_related("user").get(user=user)


def demote(tenant: Tenant, target: Membership, by: Membership) -> Callable[[], object]:
    return lambda: change_role(tenant, membership_id=target.id, role=Role.ADMIN, by=by)


def remove(tenant: Tenant, target: Membership, by: Membership) -> Callable[[], object]:
    return lambda: remove_member(tenant, membership_id=target.id, by=by)


@pytest.mark.parametrize("act", [demote, remove])
def test_of_two_owners_that_go_at_once_one_stays(act: Callable[..., Callable[[], object]]) -> None:
    tenant = make_tenant()
    owners = [member(tenant, make_user(tenant, Role.OWNER)) for _ in range(2)]
    outcomes = at_once(*(act(tenant, owner, owner) for owner in owners))
    assert outcomes == ["in", "last_owner"]
    assert list(roles(tenant).values()).count("owner") == 1


@pytest.mark.parametrize("act", [demote, remove])
def test_of_two_owners_that_act_on_each_other_one_does(act: Callable[..., Callable[[], object]]) -> None:
    tenant = make_tenant()
    first, second = (member(tenant, make_user(tenant, Role.OWNER)) for _ in range(2))
    outcomes = at_once(act(tenant, second, first), act(tenant, first, second))
    # The other one has no such role any more, or is not here.
    assert outcomes in (["forbidden", "in"], ["in", "last_owner"])
    assert list(roles(tenant).values()).count("owner") == 1


def test_of_five_removals_one_happens() -> None:
    tenant = make_tenant()
    owner, agent = (member(tenant, make_user(tenant, role)) for role in (Role.OWNER, Role.AGENT))
    assert at_once(*[remove(tenant, agent, owner)] * 5) == ["in"] + ["not_found"] * 4
