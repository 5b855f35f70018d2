"""The page on which owners and admins set how soon people are to answer and to resolve."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from conversations.clocks.times import Promised, change_response_times, response_times
from conversations.models import ClockKind, Priority
from conversations.models.clock import LONGEST_MINUTES
from helpdesk.errors import InvalidInput
from helpdesk.facts.kinds import user_actor
from helpdesk.permissions import Right
from helpdesk.users.access import DeskRequest, desk_view


class ResponseTimesForm(forms.Form):
    """The minutes of each priority and kind, as `urgent-first_reply`; empty for no promise."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for priority in Priority:
            for kind in ClockKind:
                self.fields[f"{priority.value}-{kind.value}"] = forms.IntegerField(
                    label=f"{priority.label}: {kind.label}",
                    required=False,
                    min_value=1,
                    max_value=LONGEST_MINUTES,
                    widget=forms.NumberInput(attrs={"class": "input"}),
                )

    def table(self) -> list[dict[str, Any]]:
        """A row for each priority, the most urgent first, with its fields."""
        return [
            {"label": priority.label, "fields": [self[f"{priority.value}-{kind.value}"] for kind in ClockKind]}
            for priority in reversed(Priority)
        ]

    def times(self) -> dict[str, Promised]:
        """What was entered."""
        return {
            priority: {kind: self.cleaned_data[f"{priority}-{kind}"] for kind in ClockKind.values}
            for priority in Priority.values
        }


@require_http_methods(["GET", "HEAD", "POST"])
@desk_view(Right.MANAGE_AUTOMATION)
def response_times_page(request: DeskRequest) -> HttpResponse:
    """Read and change them."""
    if request.method != "POST":
        known = response_times()
        initial = {f"{priority}-{kind}": known[priority][kind] for priority in known for kind in known[priority]}
        return _page(request, ResponseTimesForm(initial=initial))
    form = ResponseTimesForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=InvalidInput.status)
    changed = change_response_times(tenant_id=request.tenant.id, times=form.times(), actor=user_actor(request.user))
    messages.success(request, _("Saved.") if changed else _("Nothing was changed."))
    return redirect("desk:response_times", tenant_slug=request.tenant.slug)


def _page(request: DeskRequest, form: ResponseTimesForm, *, status: int = 200) -> HttpResponse:
    context = {"form": form, "table": form.table(), "kinds": ClockKind.choices}
    return render(request, "conversations/response_times.html", context, status=status)
