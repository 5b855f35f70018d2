"""The desk's page about people: who is here, who is invited, and what owners and admins change about it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from helpdesk.errors import Conflict, InvalidInput
from helpdesk.permissions import Right, Role
from helpdesk.users.access import DeskRequest, desk_view
from helpdesk.users.invitation_mail import MailNotSent, send_invitation
from helpdesk.users.invitations import (
    Invited,
    invite,
    invite_again,
    revoke_invitation,
    waiting_invitation,
    waiting_invitations,
)
from helpdesk.users.models import Invitation, Membership
from helpdesk.users.people import change_role, may_give, members, remove_member
from helpdesk.users.people_forms import InvitationForm, RoleForm
from helpdesk.users.roles import role_name
from helpdesk.users.second_step import people_with_second_step, require_second_step


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@desk_view(Right.MANAGE_PEOPLE)
def people(request: DeskRequest) -> HttpResponse:
    """Who is here and who is invited; a POST invites."""
    if request.method != "POST":
        return _page(request, _invitation_form(request))
    form = _invitation_form(request, request.POST)
    if not form.is_valid():
        return _page(request, form, status=InvalidInput.status)
    data = form.cleaned_data
    try:
        with transaction.atomic():
            invited = invite(
                request.tenant,
                email=data["email"],
                name=data["name"],
                role=Role(data["role"]),
                by=request.membership,
            )
            return _handed_over(request, invited)
    except MailNotSent as error:
        form.add_error(None, _mail_trouble(data["email"]))
        return _page(request, form, status=error.status)
    except InvalidInput as error:
        form.add_error("email", str(error.message))
        return _page(request, form, status=error.status)


@require_POST
@desk_view(Right.MANAGE_PEOPLE)
def resend(request: DeskRequest, invitation_id: UUID) -> HttpResponse:
    """A new link for whoever was invited; the one before ends."""
    try:
        with transaction.atomic():
            return _handed_over(
                request, invite_again(request.tenant, invitation_id=invitation_id, by=request.membership)
            )
    except MailNotSent:
        messages.error(request, _mail_trouble(waiting_invitation(invitation_id).email))
    except InvalidInput as error:
        messages.error(request, str(error.message))
    return _to_people(request)


@require_POST
@desk_view(Right.MANAGE_PEOPLE)
def revoke(request: DeskRequest, invitation_id: UUID) -> HttpResponse:
    """End an invitation."""
    waiting = waiting_invitation(invitation_id)
    revoke_invitation(request.tenant, email=waiting.email, by=request.membership)
    messages.success(request, _("The invitation for %(email)s is revoked.") % {"email": waiting.email})
    return _to_people(request)


@require_POST
@desk_view(Right.MANAGE_PEOPLE)
def role(request: DeskRequest, membership_id: UUID) -> HttpResponse:
    """Give somebody another role."""
    form = RoleForm(request.POST, giver=request.membership.role)
    if not form.is_valid():
        raise InvalidInput
    chosen = Role(form.cleaned_data["role"])
    try:
        changed = change_role(request.tenant, membership_id=membership_id, role=chosen, by=request.membership)
    except Conflict as error:
        messages.error(request, str(error.message))
        return _to_people(request)
    words = _("%(name)s is now: %(role)s.") % {"name": changed.user, "role": role_name(chosen)}
    messages.success(request, words)
    return _onwards(request, changed)


@require_POST
@desk_view(Right.MANAGE_PEOPLE)
def remove(request: DeskRequest, membership_id: UUID) -> HttpResponse:
    """Take somebody out of the company."""
    try:
        removed = remove_member(request.tenant, membership_id=membership_id, by=request.membership)
    except Conflict as error:
        messages.error(request, str(error.message))
        return _to_people(request)
    messages.success(request, _("%(name)s has no access any more.") % {"name": removed.user})
    return _onwards(request, removed)


@require_POST
@desk_view(Right.MANAGE_SECURITY)
def second_step(request: DeskRequest) -> HttpResponse:
    """Require two-step sign-in of everybody, or leave it to them."""
    required = request.POST.get("required") == "yes"
    try:
        require_second_step(request.tenant, required=required, by=request.membership)
    except Conflict as error:
        messages.error(request, str(error.message))
        return _to_people(request)
    messages.success(
        request, _("Two-step sign-in is required now.") if required else _("Two-step sign-in is optional now.")
    )
    return _to_people(request)


def _onwards(request: DeskRequest, changed: Membership) -> HttpResponse:
    """Whoever changed themselves may not be allowed to see the page any more."""
    return redirect("desk:home") if changed.id == request.membership.id else _to_people(request)


def _handed_over(request: DeskRequest, invited: Invited) -> HttpResponse:
    """The link goes by mail; where no mail is set up, to the page, this once. Raises MailNotSent."""
    link = request.build_absolute_uri(invited.path)
    email = invited.invitation.email
    if not settings.SENDS_MAIL:
        return _page(request, _invitation_form(request), handed_over={"email": email, "link": link})
    send_invitation(request.tenant, invited.invitation, link)
    messages.success(request, _("An invitation is on its way to %(email)s.") % {"email": email})
    return _to_people(request)


def _mail_trouble(email: str) -> str:
    return _("The mail to %(email)s could not be sent, so nothing was changed. Try again in a moment.") % {
        "email": email
    }


def _invitation_form(request: DeskRequest, data: Any = None) -> InvitationForm:
    return InvitationForm(data, giver=request.membership.role, initial={"role": Role.AGENT})


def _to_people(request: DeskRequest) -> HttpResponse:
    return redirect("people:list", tenant_slug=request.tenant.slug)


def _page(
    request: DeskRequest, form: InvitationForm, *, handed_over: dict[str, str] | None = None, status: int = 200
) -> HttpResponse:
    giver = request.membership.role
    found = members()
    owners = sum(member.role == Role.OWNER for member in found)
    secured = people_with_second_step(member.user_id for member in found)
    context = {
        "form": form,
        "rows": [_row(request, member, owners) | {"has_second_step": member.user_id in secured} for member in found],
        "invitations": [_waiting_row(giver, each) for each in waiting_invitations()],
        "handed_over": handed_over,
        "days": settings.INVITATION_DAYS,
        "without_second_step": len(found) - len(secured),
    }
    return render(request, "people/list.html", context, status=status)


def _row(request: DeskRequest, member: Membership, owners: int) -> dict[str, Any]:
    giver = request.membership.role
    is_last_owner = member.role == Role.OWNER and owners == 1
    return {
        "member": member,
        "is_oneself": member.id == request.membership.id,
        "is_last_owner": is_last_owner,
        "may_change": may_give(giver, member.role) and not is_last_owner,
        "can_sign_in": member.user.is_active and member.user.has_usable_password(),
        "seen_at": member.seen_at,
        "form": RoleForm(giver=giver, initial={"role": member.role}, auto_id=f"role-{member.id}-%s"),
    }


def _waiting_row(giver: str, invitation: Invitation) -> dict[str, Any]:
    return {
        "invitation": invitation,
        "is_open": invitation.is_open_at(timezone.now()),
        "may_change": may_give(giver, invitation.role),
    }
