"""The page of the company's macros."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from conversations.inbox.labels import labels_by_name
from conversations.inbox.macros import Steps, change_macro, create_macro, delete_macro, macros
from conversations.inbox.menus import SNOOZES
from conversations.inbox.settings_pages import settings_pages
from conversations.models import Macro, Priority
from helpdesk.errors import Conflict, InvalidInput
from helpdesk.facts.kinds import user_actor
from helpdesk.permissions import Right
from helpdesk.users.access import DeskRequest, desk_view
from helpdesk.users.queries import people_with

STATUSES: tuple[tuple[str, str | Promise], ...] = (
    ("open", gettext_lazy("Open")),
    ("pending", gettext_lazy("Pending")),
    *((f"snooze:{code}", words) for code, words in SNOOZES),
    ("resolve", gettext_lazy("Resolved")),
)
TEXTS = ("note", "reply_en", "reply_zh")


def macros_page(request: HttpRequest, **kwargs: Any) -> HttpResponse:
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
    try:
        create_macro(name=request.POST.get("name", ""), steps=_steps(request), actor=user_actor(request.user))
    except (InvalidInput, Conflict) as error:
        return _page(request, problem=str(error.message), place="new", status=error.status)
    messages.success(request, _("Macro added."))
    return redirect("desk:macros", tenant_slug=request.tenant.slug)


@require_POST
@desk_view(Right.MANAGE_INBOX)
def change(request: DeskRequest, macro_id: UUID) -> HttpResponse:
    """Its name and what it does."""
    name = request.POST.get("name", "")
    try:
        change_macro(macro_id, name=name, steps=_steps(request), actor=user_actor(request.user))
    except (InvalidInput, Conflict) as error:
        return _page(request, problem=str(error.message), place=str(macro_id), status=error.status)
    messages.success(request, _("Macro saved."))
    return redirect("desk:macros", tenant_slug=request.tenant.slug)


@require_POST
@desk_view(Right.MANAGE_INBOX)
def delete(request: DeskRequest, macro_id: UUID) -> HttpResponse:
    """Delete it; what it did stays."""
    delete_macro(macro_id, actor=user_actor(request.user))
    messages.success(request, _("Macro deleted."))
    return redirect("desk:macros", tenant_slug=request.tenant.slug)


def _steps(request: DeskRequest) -> Steps:
    chosen = [request.POST.get(name, "") for name in ("assign", "priority", "status")]
    orders = [f"label:{raw}" for raw in request.POST.getlist("label")] + [each for each in chosen if each]
    return Steps(tuple(orders), **{name: request.POST.get(name, "") for name in TEXTS})


def _page(request: DeskRequest, *, problem: str = "", place: str = "", status: int = 200) -> HttpResponse:
    typed = Macro(name=request.POST.get("name", ""))
    if problem:
        steps = _steps(request)
        typed.orders = list(steps.orders)
        typed.note, typed.reply_en, typed.reply_zh = steps.note, steps.reply_en, steps.reply_zh
    labels, people = labels_by_name(), people_with(Right.REPLY)
    assigning: list[tuple[str, str | Promise]] = [
        ("take", _("Whoever runs it")),
        *((f"assign:{each.pk}", str(each)) for each in people),
    ]
    choices: dict[str, list[tuple[str, str | Promise]]] = {
        "assign": [*assigning, ("assign:", _("Nobody"))],
        "priority": [(f"priority:{code}", words) for code, words in Priority.choices],
        "status": list(STATUSES),
    }
    words = {order: str(said) for group in choices.values() for order, said in group}
    words |= {f"label:{each.id}": each.name for each in labels}
    context = {
        "macros": [
            {
                "macro": typed if place == str(each.id) else each, "id": each.id, "key": str(each.id),
                "does": [words[order] for order in each.orders if order in words],
            }
            for each in macros()
        ],
        "typed": typed if place == "new" else Macro(),
        "labels": [(f"label:{each.id}", each) for each in labels],
        "choices": choices,
        "problem": problem,
        "place": place,
        "may_manage": Right.MANAGE_INBOX in request.rights,
        "inbox_settings": settings_pages(request.rights),
    }  # fmt: skip
    return render(request, "conversations/macros.html", context, status=status)
