"""The inbox: its list, what people do with the conversations in it, and the views that they keep."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from conversations.inbox import saved_views
from conversations.inbox.actions import act as carry_out
from conversations.inbox.drafts import drafted
from conversations.inbox.labels import labels_by_name
from conversations.inbox.macros import macros
from conversations.inbox.menus import order_menus
from conversations.inbox.queues import (
    ATTENTION,
    MENTIONS,
    MOST_COUNTED,
    QUEUES,
    Listed,
    counts,
    page_of,
    read_listed,
    without_filters,
)
from conversations.inbox.rows import rows_of
from conversations.inbox.seeing import unread_counts
from conversations.models import Priority
from conversations.staffing.presence import AWAY, presence_of
from helpdesk.errors import GlassdeskError, InvalidInput, NotFound
from helpdesk.facts.kinds import user_actor
from helpdesk.permissions import Right
from helpdesk.tenants.models import Language
from helpdesk.users.access import DeskRequest, desk_view
from helpdesk.users.queries import people_with

LAST_TENANT = "last_tenant"
MOST_OFFERED = 8
MOST_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class QueueTab:
    """A queue with the number of its conversations, empty where nobody counts, and its address's query."""

    name: str
    label: str | Promise
    count: str
    query: str


@require_GET
@desk_view(Right.SEE_CONVERSATIONS)
def inbox(request: DeskRequest) -> HttpResponse:
    """The list of conversations."""
    remember_tenant(request)
    return render(request, "conversations/inbox.html", list_context(request) | pane_context(request))


@require_GET
@desk_view(Right.SEE_CONVERSATIONS)
def inbox_rows(request: DeskRequest) -> HttpResponse:
    """The list alone, to refresh it in place; `selected` is the conversation beside it."""
    return render(request, "conversations/_list.html", list_context(request))


@require_POST
@desk_view(Right.REPLY)
def act(request: DeskRequest) -> HttpResponse:
    """Do something with the marked conversations; a browser without scripts comes back to where it was."""
    try:
        said = carry_out(
            request.POST.get("do", ""),
            [_uuid(raw) for raw in request.POST.getlist("conversation")],
            user_id=request.user.pk,
            actor=user_actor(request.user),
            until=request.POST.get("until", ""),
        )
    except InvalidInput as error:
        if getattr(request, "htmx", False):
            return _said("refused", str(error.message), status=422)
        messages.error(request, str(error.message))
    else:
        if getattr(request, "htmx", False):
            return _said("acted", said)
        messages.success(request, said)
    return redirect(_back(request))


@require_GET
@desk_view(Right.REPLY)
def people(request: DeskRequest) -> HttpResponse:
    """Whom a note can call, by what is typed behind the `@`."""
    typed = request.GET.get("q", "")[:MOST_CHARACTERS].casefold()
    named = [(str(each), each.email) for each in people_with(Right.SEE_CONVERSATIONS) if each.pk != request.user.pk]
    fitting = [(name, email) for name, email in named if any(word.startswith(typed) for word in _beginnings(name))]
    return JsonResponse({"offers": [{"name": f"@{name}", "text": email} for name, email in fitting[:MOST_OFFERED]]})


@require_POST
@desk_view(Right.SEE_CONVERSATIONS)
def save_view(request: DeskRequest) -> HttpResponse:
    """Keep the list as it is under a name."""
    listed = read_listed({name: str(value) for name, value in request.POST.items()})
    try:
        saved_views.save_view(user_id=request.user.pk, name=request.POST.get("name", ""), listed=listed)
    except InvalidInput as error:
        messages.error(request, str(error.message))
    else:
        messages.success(request, _("View saved."))
    return redirect(f"{reverse('desk:inbox', args=[request.tenant.slug])}?{listed.query}")


@require_POST
@desk_view(Right.SEE_CONVERSATIONS)
def delete_view(request: DeskRequest, view_id: UUID) -> HttpResponse:
    """Forget a view."""
    saved_views.delete_view(view_id, user_id=request.user.pk)
    return redirect("desk:inbox", tenant_slug=request.tenant.slug)


def list_context(request: DeskRequest, selected: UUID | None = None) -> dict[str, Any]:
    """What `_list.html` shows."""
    listed = read_listed({name: str(value) for name, value in request.GET.items()})
    found, has_more = page_of(listed, request.user.pk)
    counted = counts(request.user.pk)
    return {
        "listed": listed,
        "filter": listed.queue,
        "rows": rows_of(
            found,
            unread=unread_counts(found, request.user.pk),
            drafted=drafted([each.id for each in found], request.user.pk),
        ),
        "older": listed.behind_row(found[-1]) if has_more else "",
        "queues": _tabs(listed, counted),
        "attention": counted[ATTENTION] + counted[MENTIONS],
        "selected": selected or _selected(request),
        "may_act": Right.REPLY in request.rights,
        "has_demo_page": request.tenant.slug in settings.DEMO_COMPANIES,
    }


def pane_context(request: DeskRequest) -> dict[str, Any]:
    """What stands around the list and does not change with it: filters, menus, saved views."""
    labels, people = labels_by_name(), people_with(Right.REPLY)
    presence = presence_of([each.pk for each in people])
    return {
        "company_labels": labels,
        "people": people,
        "menus": order_menus(people, labels, macros(), presence) if Right.REPLY in request.rights else [],
        "is_away": presence.get(request.user.pk) == AWAY,
        "languages": Language.choices,
        "priorities": Priority.choices,
        "views": saved_views.views_of(request.user.pk),
        "behind": request.GET.get("behind", "") if "behind" in request.GET else "",
    }


def remember_tenant(request: DeskRequest) -> None:
    """So that the person comes back to this company."""
    if request.session.get(LAST_TENANT) != request.tenant.slug:
        request.session[LAST_TENANT] = request.tenant.slug


def _beginnings(name: str) -> list[str]:
    """Where somebody may begin to type it."""
    folded = name.casefold()
    return [folded, *folded.split()]


def _tabs(listed: Listed, counted: dict[str, int]) -> list[QueueTab]:
    return [
        QueueTab(name, label, _count_words(counted.get(name)), without_filters(listed, name))
        for name, label in QUEUES.items()
    ]


def _count_words(count: int | None) -> str:
    if count is None:
        return ""
    return str(count) if count < MOST_COUNTED else f"{MOST_COUNTED - 1}+"


def _said(event: str, sentence: str, *, status: int = 204) -> HttpResponse:
    return HttpResponse(status=status, headers={"HX-Trigger": json.dumps({event: {"text": sentence}})})


def _back(request: DeskRequest) -> str:
    wanted = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        return wanted
    return reverse("desk:inbox", args=[request.tenant.slug])


def _selected(request: DeskRequest) -> UUID | None:
    try:
        return _uuid(request.GET.get("selected", ""))
    except GlassdeskError:
        return None


def _uuid(raw: str) -> UUID:
    try:
        return UUID(raw)
    except ValueError:
        raise NotFound from None
