"""Being away or back, and the page of teams and of how what waits is assigned."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from conversations.inbox.menus import PRESENCES
from conversations.inbox.settings_pages import settings_pages
from conversations.models import HandOffReason
from conversations.replies import hand_off_rules
from conversations.staffing import teams
from conversations.staffing.presence import AWAY, presence_of, set_away
from helpdesk.errors import Conflict, InvalidInput
from helpdesk.facts.kinds import user_actor
from helpdesk.permissions import Right
from helpdesk.users.access import DeskRequest, desk_view
from helpdesk.users.queries import people_with


@require_http_methods(["GET", "HEAD", "POST"])
@desk_view(Right.REPLY)
def presence(request: DeskRequest) -> HttpResponse:
    """The item of the account menu, or saying that one is away or back."""
    user_id = request.user.pk
    if request.method != "POST":
        is_away = presence_of([user_id])[user_id] == AWAY
        return render(request, "conversations/_presence.html", {"is_away": is_away})
    set_away(tenant_id=request.tenant.id, user_id=user_id, is_away=request.POST.get("presence") == AWAY)
    wanted = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return redirect(wanted if is_ours else reverse("desk:inbox", args=[request.tenant.slug]))


def teams_page(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    """See teams and assignment, or add a team."""
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
        teams.create_team(**_typed(request), actor=user_actor(request.user))
    except (InvalidInput, Conflict) as error:
        return _page(request, problem=str(error.message), place="new", status=error.status)
    messages.success(request, _("Team added."))
    return redirect("desk:teams", tenant_slug=request.tenant.slug)


@require_POST
@desk_view(Right.MANAGE_INBOX)
def change(request: DeskRequest, team_id: UUID) -> HttpResponse:
    """Its name, people and reasons."""
    try:
        teams.change_team(team_id, **_typed(request), actor=user_actor(request.user))
    except (InvalidInput, Conflict) as error:
        return _page(request, problem=str(error.message), place=str(team_id), status=error.status)
    messages.success(request, _("Team saved."))
    return redirect("desk:teams", tenant_slug=request.tenant.slug)


@require_POST
@desk_view(Right.MANAGE_INBOX)
def up(request: DeskRequest, team_id: UUID) -> HttpResponse:
    """Have it come one earlier."""
    teams.move_team_up(team_id, actor=user_actor(request.user))
    return redirect("desk:teams", tenant_slug=request.tenant.slug)


@require_POST
@desk_view(Right.MANAGE_INBOX)
def delete(request: DeskRequest, team_id: UUID) -> HttpResponse:
    """Delete it; its people stay."""
    teams.delete_team(team_id, actor=user_actor(request.user))
    messages.success(request, _("Team deleted."))
    return redirect("desk:teams", tenant_slug=request.tenant.slug)


@require_POST
@desk_view(Right.MANAGE_INBOX)
def assignment(request: DeskRequest) -> HttpResponse:
    """Switch automatic assignment, and set capacities; an empty one is the usual one."""
    people = [each.pk for each in people_with(Right.REPLY)]
    given = {each: request.POST[f"capacity-{each}"] for each in people if f"capacity-{each}" in request.POST}
    try:
        teams.set_assignment(
            assigns="assigns" in request.POST,
            capacity=_number(request.POST.get("capacity", "")),
            by_person={each: _number(raw) if raw.strip() else None for each, raw in given.items()},
            actor=user_actor(request.user),
        )
    except InvalidInput as error:
        return _page(request, problem=str(error.message), place="assignment", status=error.status)
    messages.success(request, _("Saved."))
    return redirect("desk:teams", tenant_slug=request.tenant.slug)


def _number(raw: str) -> int:
    text = raw.strip()
    # What is no number is out of the range, which says what is wanted.
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else -1


def _typed(request: DeskRequest) -> dict[str, Any]:
    return {
        "name": request.POST.get("name", ""),
        "user_ids": [
            int(raw) for raw in request.POST.getlist("person") if raw.isascii() and raw.isdigit() and len(raw) < 19
        ],
        "reasons": request.POST.getlist("reason"),
    }


def _page(request: DeskRequest, *, problem: str = "", place: str = "", status: int = 200) -> HttpResponse:
    people, own = people_with(Right.REPLY), teams.capacities()
    presences = presence_of([each.pk for each in people])
    typed = _typed(request) if problem else {}
    shown: list[dict[str, Any]] = []
    for each in teams.teams():
        own_text = typed if place == str(each.id) else {}
        shown.append(
            {
                "team": each, "key": str(each.id), "reasons": [HandOffReason(reason).label for reason in each.reasons],
                "count": sum(member.user_id in presences for member in each.members.all()),
                "name": own_text.get("name", each.name),
                "chosen": own_text.get("user_ids", [member.user_id for member in each.members.all()]),
                "named": own_text.get("reasons", each.reasons),
            }
        )  # fmt: skip
    context = {
        "rules": hand_off_rules(),
        "people": [
            {
                "person": each, "capacity": own.get(each.pk, ""),
                "presence": presences[each.pk], "words": PRESENCES[presences[each.pk]],
            }
            for each in people
        ],
        "teams": shown,
        "reasons": HandOffReason.choices,
        "problem": problem,
        "place": place,
        "typed": typed if place == "new" else {},
        "may_manage": Right.MANAGE_INBOX in request.rights,
        "inbox_settings": settings_pages(request.rights),
    }  # fmt: skip
    return render(request, "conversations/teams.html", context, status=status)
