"""Making a company, naming the websites that may show its widget, and who belongs to it. For the shell, by whoever runs the
desk."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from conversations.models import Assistant
from helpdesk.errors import InvalidInput
from helpdesk.facts.kinds import FactKind
from helpdesk.facts.recording import record
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.tenants.sites import origin
from helpdesk.users.invitations import revoke_invitation
from helpdesk.users.models import Invitation, Membership
from helpdesk.users.queries import account_of

logger = structlog.get_logger(__name__)


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


def members(tenant: Tenant) -> list[Membership]:
    """Who belongs to the company, with their people."""
    with tenant_atomic(tenant.id):
        return list(Membership.objects.select_related("user").order_by("created_at"))


def open_invitations(tenant: Tenant) -> list[Invitation]:
    """What was offered and may still be accepted."""
    with tenant_atomic(tenant.id):
        rows = list(Invitation.objects.order_by("created_at"))
    now = timezone.now()
    return [invitation for invitation in rows if invitation.is_open_at(now)]


def remove_person(tenant: Tenant, *, email: str) -> None:
    """End the membership and the open invitation of that address. Raises InvalidInput when there is neither."""
    invited, account = revoke_invitation(tenant, email=email), account_of(email)
    with tenant_atomic(tenant.id):
        membership = Membership.objects.filter(user=account).first() if account else None
        if membership is not None:
            record(FactKind.MEMBERSHIP_ENDED, subject_id=membership.id, role=str(membership.role))
            membership.delete()
    if membership is None and not invited:
        raise InvalidInput(f"{email} is no member and not invited.")
    logger.info("person_removed", tenant_id=str(tenant.id), user_id=account.pk if account else None)


def _check(tenant: Tenant) -> None:
    try:
        tenant.full_clean()
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise InvalidInput(f"{field}: {messages[0]}") from None
