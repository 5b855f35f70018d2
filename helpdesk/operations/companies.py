"""Making a company, naming the websites that may show its widget, and who belongs to it. For the shell, by whoever runs the
desk."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from conversations.models import Assistant
from helpdesk.errors import InvalidInput
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.tenants.sites import origin
from helpdesk.users.invitations import revoke_invitation, waiting_invitations
from helpdesk.users.lockout import unlock
from helpdesk.users.models import Invitation, Membership
from helpdesk.users.people import members, remove_member
from helpdesk.users.queries import account_of
from helpdesk.users.second_step import forget_second_step


def create_company(
    *,
    slug: str,
    name: str,
    name_zh: str = "",
    contact_email: str,
    language: str = "en",
    assistant: str = "",
    sites: Sequence[str] = (),
) -> Tenant:
    """A company with its default assistant; `sites` are the origins that may show its widget. Raises InvalidInput."""
    tenant = Tenant(
        slug=slug,
        name=name.strip(),
        name_zh=name_zh.strip(),
        contact_email=contact_email,
        default_language=language,
        allowed_origins=[origin(site) for site in sites],
    )
    _check(tenant)
    with transaction.atomic():
        tenant.save()
        with tenant_atomic(tenant.id):
            Assistant.objects.create(name=assistant.strip() or tenant.name, is_default=True)
    return tenant


def allow_sites(tenant: Tenant, sites: Sequence[str]) -> Tenant:
    """Let these websites show the widget, and no others any more. Raises InvalidInput."""
    tenant.allowed_origins = [origin(site) for site in sites]
    _check(tenant)
    tenant.save(update_fields=["allowed_origins"])
    return tenant


def members_of(tenant: Tenant) -> list[Membership]:
    """Who belongs to the company, with their people."""
    with tenant_atomic(tenant.id):
        return members()


def open_invitations(tenant: Tenant) -> list[Invitation]:
    """What was offered and may still be accepted."""
    with tenant_atomic(tenant.id):
        rows = waiting_invitations()
    now = timezone.now()
    return [invitation for invitation in reversed(rows) if invitation.is_open_at(now)]


def remove_person(tenant: Tenant, *, email: str) -> None:
    """End the membership and the open invitation of that address. Raises InvalidInput when there is neither, and LastOwner."""
    account = account_of(email)
    with tenant_atomic(tenant.id):
        invited = revoke_invitation(tenant, email=email)
        membership = Membership.objects.filter(user=account).first() if account else None
        if membership is not None:
            remove_member(tenant, membership_id=membership.id)
    if membership is None and not invited:
        raise InvalidInput(f"{email} is no member and not invited.")


def reset_second_step(tenant: Tenant, *, email: str) -> None:
    """Let a member who has lost them all sign in with the password alone, to set up another. Raises InvalidInput."""
    account = account_of(email)
    with tenant_atomic(tenant.id):
        is_member = account is not None and Membership.objects.filter(user=account).exists()
    if account is None or not is_member:
        raise InvalidInput(f"{email} is no member.")
    if not forget_second_step(account):
        raise InvalidInput(f"{email} has set up no second step.")


def unlock_person(tenant: Tenant, *, email: str) -> None:
    """Let a member try again at once after too many wrong passwords or codes. Raises InvalidInput."""
    account = account_of(email)
    with tenant_atomic(tenant.id):
        is_member = account is not None and Membership.objects.filter(user=account).exists()
    if account is None or not is_member:
        raise InvalidInput(f"{email} is no member.")
    unlock(account)


def _check(tenant: Tenant) -> None:
    try:
        tenant.full_clean()
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise InvalidInput(f"{field}: {messages[0]}") from None
