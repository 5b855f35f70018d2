"""How people become members: an invitation, its link, and the acceptance by whoever holds it. Nothing attaches by itself.

The link proves that somebody holds what was sent to the address. With it a new person chooses a password; whoever has an
account signs in to the one of that address. No other account can accept, and an invitation never changes a role.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode
from uuid import UUID

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from helpdesk.errors import Forbidden, GlassdeskError, InvalidInput, NotFound
from helpdesk.facts.kinds import FactKind, user_actor
from helpdesk.facts.recording import record
from helpdesk.permissions import Right, Role, has_right
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.queries import tenant_by_slug
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.acting import needs
from helpdesk.users.email_addresses import canonical
from helpdesk.users.models import Invitation, Membership, User
from helpdesk.users.noting import PeopleChange, notes
from helpdesk.users.queries import account_of

logger = structlog.get_logger(__name__)

# What an invitation that was accepted or ended no longer says of a person.
FORGOTTEN = {"email": "", "name": ""}
# Neither accepted nor ended.
WAITING = {"accepted_at__isnull": True, "revoked_at__isnull": True}


class InvitationGone(GlassdeskError):
    """Used, revoked, replaced, too old, or never there: all look the same."""

    code = "invitation_gone"
    status = 410
    message = _("This invitation no longer works. Ask the person who invited you for a new one.")


@dataclass(frozen=True, slots=True)
class Invited:
    """A new invitation with its link's path, which cannot be had again."""

    invitation: Invitation
    path: str


@dataclass(frozen=True, slots=True)
class Offer:
    """What a link offers. `account` is the one that has to accept; None when the address has none yet."""

    tenant: Tenant
    invitation: Invitation
    account: User | None

    @property
    def needs_password(self) -> bool:
        """Whether nobody has ever signed in with the address: the link is the proof then."""
        return self.account is None or not self.account.has_usable_password()


@needs(Right.MANAGE_PEOPLE)
def invite(tenant: Tenant, *, email: str, name: str, role: Role, by: Membership | None = None) -> Invited:
    """Offer a membership; the link of an earlier offer to the address ends. Raises InvalidInput for a member, and Forbidden
    when `by` may not give that role. Without `by` it is done from the shell.

    Somebody who became a member without ever choosing a password gets a link in the same role.
    """
    email, token = canonical(email), secrets.token_urlsafe(32)
    account, user = account_of(email), _asking(by, role)
    with tenant_atomic(tenant.id):
        membership = Membership.objects.filter(user=account).first() if account else None
        if membership is not None and (membership.role != role or membership.user.has_usable_password()):
            already = _("%(email)s is a member already, as %(role)s. One person has one role in a company.")
            raise InvalidInput(already % {"email": email, "role": membership.role})
        end_open(email, user=user)
        invitation = Invitation.objects.create(
            email=email,
            name=name.strip()[:120],
            role=role,
            token_digest=hashlib.sha256(token.encode()).hexdigest(),
            expires_at=timezone.now() + timedelta(days=settings.INVITATION_DAYS),
        )
        notes().changed(PeopleChange.INVITED, subject=invitation.id, user=user, role=str(role))
        record(FactKind.INVITATION_CREATED, subject_id=invitation.id, actor=user_actor(user), role=str(role))
    logger.info("person_invited", tenant_id=str(tenant.id), invitation_id=str(invitation.id), role=str(role))
    return Invited(invitation, f"{reverse('invitation')}?{urlencode({'company': tenant.slug, 'token': token})}")


@needs(Right.MANAGE_PEOPLE)
def invite_again(tenant: Tenant, *, invitation_id: UUID, by: Membership | None = None) -> Invited:
    """A new link with a new end for whoever was invited; the one before ends. Raises NotFound, and what `invite` raises."""
    with tenant_atomic(tenant.id):
        waiting = waiting_invitation(invitation_id)
        return invite(tenant, email=waiting.email, name=waiting.name, role=Role(waiting.role), by=by)


@needs(Right.MANAGE_PEOPLE)
def revoke_invitation(tenant: Tenant, *, email: str, by: Membership | None = None) -> bool:
    """End the open invitation of the address; whether there was one. Raises Forbidden when `by` may not give its role."""
    with tenant_atomic(tenant.id):
        waiting = Invitation.objects.filter(**WAITING, email=canonical(email)).first()
        return waiting is not None and end_open(waiting.email, user=_asking(by, waiting.role)) > 0


def waiting_invitations() -> list[Invitation]:
    """What was offered in the tenant in scope and neither accepted nor ended, the newest first; some may be too old."""
    return list(Invitation.objects.filter(**WAITING).order_by("-created_at", "id"))


def waiting_invitation(invitation_id: UUID) -> Invitation:
    """One of them; raises NotFound."""
    found: Invitation | None = Invitation.objects.filter(**WAITING, id=invitation_id).first()
    if found is None:
        raise NotFound
    return found


def find_offer(slug: str, token: str) -> Offer:
    """What the link offers. Raises InvitationGone."""
    return _offer(slug, token_digest=hashlib.sha256(token.encode(errors="replace")).hexdigest())


def reopen_offer(slug: str, invitation_id: str) -> Offer:
    """What a link offered that was opened before, for whoever is known to have opened it. Raises InvitationGone."""
    return _offer(slug, id=invitation_id)


def _offer(slug: str, **which: str) -> Offer:
    try:
        tenant = tenant_by_slug(slug if slug.replace("-", "").isalnum() else "")
    except NotFound:
        raise InvitationGone from None
    with tenant_atomic(tenant.id):
        invitation = Invitation.objects.filter(**which).first()
    if invitation is None or not invitation.is_open_at(timezone.now()):
        raise InvitationGone
    return Offer(tenant, invitation, account_of(invitation.email))


def accept_as(offer: Offer, user: User) -> Membership:
    """Make the signed-in person a member. Raises Forbidden for another account than the address's, and InvitationGone."""
    if offer.account is None or offer.account.pk != user.pk or not user.is_active:
        raise Forbidden(_("This invitation is for a different address than the one you're signed in with."))
    with tenant_atomic(offer.tenant.id):
        _claim(offer.invitation)
        return _join(offer, user)


def accept_with_password(offer: Offer, *, name: str, password: str) -> User:
    """Make the person who holds the link a member, with a new password. Raises Forbidden when the address's account has one
    already, and InvitationGone."""
    try:
        with transaction.atomic(), tenant_atomic(offer.tenant.id):
            _claim(offer.invitation)
            user = account_of(offer.invitation.email)
            if user is not None and (user.has_usable_password() or not user.is_active):
                raise Forbidden
            user = user or User(email=offer.invitation.email)
            user.name = name.strip()
            user.set_password(password)
            user.save()
            _join(offer, user)
            return user
    except IntegrityError:  # another company's invitation made the account at the same moment
        raise InvitationGone from None


def accept_vouched_for(tenant: Tenant, *, email: str, name: str) -> User:
    """Make the person of that address a member, as they are invited; whoever calls knows that the address is theirs. A new
    account has no password. Raises InvitationGone, and Forbidden for an account that is switched off."""
    with tenant_atomic(tenant.id):
        invitation = Invitation.objects.filter(**WAITING, email=email).first()
        if invitation is None:
            raise InvitationGone
        _claim(invitation)
        user = account_of(email)
        if user is None:
            user = User.objects.create_user(email, None, name=(invitation.name or name).strip()[:120])
        elif not user.is_active:
            raise Forbidden
        _join(Offer(tenant, invitation, user), user)
        return user


def _claim(invitation: Invitation) -> None:
    """Of several acceptances at once exactly one gets past here."""
    now = timezone.now()
    still_open = Invitation.objects.filter(**WAITING, id=invitation.id, expires_at__gt=now)
    if still_open.update(accepted_at=now) != 1:
        raise InvitationGone


def _join(offer: Offer, user: User) -> Membership:
    membership: Membership
    membership, _made = Membership.objects.get_or_create(user=user, defaults={"role": offer.invitation.role})
    Invitation.objects.filter(id=offer.invitation.id).update(accepted_by=user, **FORGOTTEN)
    notes().changed(PeopleChange.JOINED, subject=membership.id, user=user, person=user.pk, role=str(membership.role))
    record(
        FactKind.INVITATION_ACCEPTED,
        subject_id=offer.invitation.id,
        actor=user_actor(user),
        membership_id=membership.id,
        role=str(membership.role),
    )
    logger.info(
        "invitation_accepted",
        tenant_id=str(offer.tenant.id),
        invitation_id=str(offer.invitation.id),
        user_id=user.pk,
        role=membership.role,
    )
    return membership


def _asking(by: Membership | None, role: str) -> User | None:
    """Who asks; raises Forbidden when they may not give that role."""
    if by is None:
        return None
    if not has_right(by.role, Right.MANAGE_OWNERS if role == Role.OWNER else Right.MANAGE_PEOPLE):
        raise Forbidden
    return by.user


def end_open(email: str, *, user: User | None) -> int:
    """End what is open for the address, in the transaction of the caller; how many there were."""
    open_ones = Invitation.objects.filter(**WAITING, email=email)
    ids = list(open_ones.select_for_update().values_list("id", flat=True))
    for invitation_id in ids:
        notes().changed(PeopleChange.INVITATION_ENDED, subject=invitation_id, user=user)
        record(FactKind.INVITATION_REVOKED, subject_id=invitation_id, actor=user_actor(user))
    if ids:
        Invitation.objects.filter(id__in=ids).update(revoked_at=timezone.now(), **FORGOTTEN)
    return len(ids)
