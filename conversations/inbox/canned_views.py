"""The page of the company's canned replies, and those that are offered in the reply box."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from conversations.inbox.canned import (
    PER_PAGE,
    SEARCH_CHARACTERS,
    canned_replies,
    change_canned_reply,
    create_canned_reply,
    delete_canned_reply,
    offers,
)
from conversations.inbox.settings_pages import settings_pages
from conversations.models import CannedReply
from conversations.queries import conversation_by_id
from helpdesk.errors import Conflict, InvalidInput
from helpdesk.facts.kinds import user_actor
from helpdesk.pages.page_numbers import requested_page
from helpdesk.permissions import Right
from helpdesk.users.access import DeskRequest, desk_view

FIELDS = ("shortcut", "text_en", "text_zh")


def replies(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    """See them, or add one."""
    if request.method == "POST":
        return _create(request, **kwargs)
    if request.method in {"GET", "HEAD"}:
        return _show(request, **kwargs)
    return HttpResponseNotAllowed(["GET", "HEAD", "POST"])


@desk_view(Right.REPLY)
def _show(request: DeskRequest) -> HttpResponse:
    return _page(request)


@desk_view(Right.MANAGE_INBOX)
def _create(request: DeskRequest) -> HttpResponse:
    typed = _typed(request)
    try:
        create_canned_reply(**typed, actor=user_actor(request.user))
    except (InvalidInput, Conflict) as error:
        return _page(request, problem=str(error.message), typed=typed, status=error.status)
    messages.success(request, _("Canned reply added."))
    return redirect("desk:canned_replies", tenant_slug=request.tenant.slug)


@require_POST
@desk_view(Right.MANAGE_INBOX)
def change(request: DeskRequest, reply_id: UUID) -> HttpResponse:
    """Write one anew; what was typed stays when it cannot be kept."""
    typed = _typed(request)
    try:
        change_canned_reply(reply_id, **typed, actor=user_actor(request.user))
    except (InvalidInput, Conflict) as error:
        return _page(request, problem=str(error.message), typed=typed, wrong=reply_id, status=error.status)
    messages.success(request, _("Canned reply saved."))
    return redirect("desk:canned_replies", tenant_slug=request.tenant.slug)


@require_POST
@desk_view(Right.MANAGE_INBOX)
def delete(request: DeskRequest, reply_id: UUID) -> HttpResponse:
    """Delete one."""
    delete_canned_reply(reply_id, actor=user_actor(request.user))
    messages.success(request, _("Canned reply deleted."))
    return redirect("desk:canned_replies", tenant_slug=request.tenant.slug)


@require_GET
@desk_view(Right.REPLY)
def offered(request: DeskRequest, conversation_id: UUID) -> HttpResponse:
    """What fits the word behind the slash, with the placeholders filled for this conversation."""
    found = conversation_by_id(conversation_id)
    fitting = offers(
        request.GET.get("q", ""), found, agent=str(request.user), company=request.tenant.name_in(found.language)
    )
    return JsonResponse({"offers": [{"name": f"/{shortcut}", "text": text} for shortcut, text in fitting]})


def _typed(request: DeskRequest) -> dict[str, str]:
    return {name: request.POST.get(name, "") for name in FIELDS}


def _page(
    request: DeskRequest,
    *,
    problem: str = "",
    typed: dict[str, str] | None = None,
    wrong: UUID | None = None,
    status: int = 200,
) -> HttpResponse:
    search, page = request.GET.get("q", "")[:SEARCH_CHARACTERS], requested_page(request)
    shown: list[CannedReply] = list(canned_replies(search)[(page - 1) * PER_PAGE : page * PER_PAGE + 1])
    for each in shown:
        if each.id == wrong and typed:
            for name, value in typed.items():
                setattr(each, name, value)
    context = {
        "replies": shown[:PER_PAGE],
        "has_more": len(shown) > PER_PAGE,
        "page": page,
        "search": search,
        "problem": problem,
        "wrong": wrong,
        "typed": typed if wrong is None and typed else {},
        "may_manage": Right.MANAGE_INBOX in request.rights,
        "inbox_settings": settings_pages(request.rights),
    }
    return render(request, "conversations/canned_replies.html", context, status=status)
