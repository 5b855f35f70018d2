"""The page of the company's labels."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from conversations.inbox.labels import change_label, counted_labels, create_label, delete_label
from conversations.inbox.settings_pages import settings_pages
from conversations.models import LabelColour
from helpdesk.errors import Conflict, InvalidInput
from helpdesk.facts.kinds import user_actor
from helpdesk.permissions import Right
from helpdesk.users.access import DeskRequest, desk_view


def labels(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    """See the labels, or add one."""
    if request.method == "POST":
        return _create(request, **kwargs)
    if request.method in {"GET", "HEAD"}:
        return _show(request, **kwargs)
    return HttpResponseNotAllowed(["GET", "HEAD", "POST"])


@desk_view(Right.SEE_CONVERSATIONS)
def _show(request: DeskRequest) -> HttpResponse:
    return _page(request)


@desk_view(Right.MANAGE_LABELS)
def _create(request: DeskRequest) -> HttpResponse:
    name, colour = request.POST.get("name", ""), request.POST.get("colour", "")
    try:
        create_label(name=name, colour=colour, actor=user_actor(request.user))
    except (InvalidInput, Conflict) as error:
        return _page(request, problem=str(error.message), name=name, colour=colour, status=error.status)
    messages.success(request, _("Label added."))
    return redirect("desk:labels", tenant_slug=request.tenant.slug)


@require_POST
@desk_view(Right.MANAGE_LABELS)
def change(request: DeskRequest, label_id: UUID) -> HttpResponse:
    """Rename or recolour a label."""
    name, colour = request.POST.get("name", ""), request.POST.get("colour", "")
    try:
        change_label(label_id, name=name, colour=colour, actor=user_actor(request.user))
    except (InvalidInput, Conflict) as error:
        return _page(request, problem=str(error.message), wrong=label_id, status=error.status)
    messages.success(request, _("Label saved."))
    return redirect("desk:labels", tenant_slug=request.tenant.slug)


@require_POST
@desk_view(Right.MANAGE_LABELS)
def delete(request: DeskRequest, label_id: UUID) -> HttpResponse:
    """Delete a label everywhere."""
    delete_label(label_id, actor=user_actor(request.user))
    messages.success(request, _("Label deleted."))
    return redirect("desk:labels", tenant_slug=request.tenant.slug)


def _page(
    request: DeskRequest,
    *,
    problem: str = "",
    wrong: UUID | None = None,
    name: str = "",
    colour: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        "labels": counted_labels(),
        "colours": LabelColour.choices,
        "problem": problem,
        "wrong": wrong,
        "name": name,
        "colour": colour or LabelColour.PETROL,
        "may_manage": Right.MANAGE_LABELS in request.rights,
        "inbox_settings": settings_pages(request.rights),
    }
    return render(request, "conversations/labels.html", context, status=status)
