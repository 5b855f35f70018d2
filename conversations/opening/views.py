"""The page on which owners and admins set the business hours."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from conversations.models import OpeningHours
from conversations.opening.changing import change_opening_hours
from conversations.opening.forms import OpeningHoursForm
from conversations.opening.stored import hours_of
from helpdesk.errors import Conflict, InvalidInput
from helpdesk.facts.kinds import user_actor
from helpdesk.permissions import Right
from helpdesk.users.access import DeskRequest, desk_view


@require_http_methods(["GET", "HEAD", "POST"])
@desk_view(Right.MANAGE_WIDGET)
def opening_hours(request: DeskRequest) -> HttpResponse:
    """Read and change them; what was typed comes back when it cannot be saved."""
    if request.method != "POST":
        return _page(request, OpeningHoursForm.of(OpeningHours.objects.first()))
    form = OpeningHoursForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=InvalidInput.status)
    try:
        changed = change_opening_hours(
            tenant_id=request.tenant.id,
            based_on=form.cleaned_data["based_on"],
            hours=form.cleaned_data["hours"],
            actor=user_actor(request.user),
        )
    except Conflict as error:
        _explain_conflict(form)
        return _page(request, form, status=error.status)
    messages.success(request, _("Saved.") if changed else _("Nothing was changed."))
    return redirect("desk:opening_hours", tenant_slug=request.tenant.slug)


def _explain_conflict(form: OpeningHoursForm) -> None:
    """Sending the form again then puts the kept settings on top of the other person's."""
    form.add_error(
        None, _("Somebody changed these settings meanwhile. Yours are kept below; saving again puts them on top.")
    )
    typed = cast(QueryDict, form.data).copy()
    typed["based_on"] = str(OpeningHours.objects.values_list("version", flat=True).get())
    form.data = typed


def _page(request: DeskRequest, form: OpeningHoursForm, *, status: int = 200) -> HttpResponse:
    row = OpeningHours.objects.filter(is_on=True).first()
    hours = hours_of(row) if row else None
    now = timezone.now()
    context = {
        "form": form,
        "hours": hours,
        "is_open": hours is not None and hours.is_open(now),
        "opens_at": hours.opens_at(now) if hours else None,
    }
    return render(request, "conversations/opening_hours.html", context, status=status)
