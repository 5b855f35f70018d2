"""The page on which owners and admins set how their assistant answers."""

from __future__ import annotations

from typing import cast

import redis
from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from conversations.assistants import change_assistant
from conversations.forms import AssistantForm
from conversations.models import Assistant
from conversations.queries import default_assistant
from helpdesk.errors import Conflict, InvalidInput
from helpdesk.facts.kinds import user_actor
from helpdesk.permissions import Right
from helpdesk.queue.workers import served_models
from helpdesk.users.access import DeskRequest, desk_view


@require_http_methods(["GET", "HEAD", "POST"])
@desk_view(Right.EDIT_ASSISTANT)
def assistant(request: DeskRequest) -> HttpResponse:
    """The settings; what was typed comes back when it cannot be saved."""
    found = default_assistant()
    if request.method != "POST":
        return _page(request, found, AssistantForm(initial=_initial(found), models=_models(found)))
    form = AssistantForm(request.POST, models=_models(found))
    if not form.is_valid():
        return _page(request, found, form, status=InvalidInput.status)
    values = dict(form.cleaned_data)
    based_on = values.pop("based_on")
    try:
        changed = change_assistant(
            tenant_id=request.tenant.id, based_on=based_on, values=values, actor=user_actor(request.user)
        )
    except Conflict as error:
        _explain_conflict(form, found)
        return _page(request, found, form, status=error.status)
    messages.success(request, _("Saved. Applies from the next answer.") if changed else _("No changes."))
    return redirect("desk:assistant", tenant_slug=request.tenant.slug)


def _initial(found: Assistant) -> dict[str, object]:
    names = ("name", "model", "style", "instructions", "temperature", "top_p", "max_tokens", "seed")
    return {name: getattr(found, name) for name in names} | {"stop": "\n".join(found.stop), "based_on": found.version}


def _models(found: Assistant) -> list[tuple[str, str]]:
    """The names that workers serve, and the chosen one also while nobody serves it."""
    try:
        served = served_models()
    except redis.RedisError:
        served = []
    by_alias = {each.alias: each.model if not each.alias else f"{each.alias} ({each.model})" for each in served}
    choices = {"": _("Default model")} | by_alias
    if found.model not in choices:
        choices[found.model] = _("%(name)s (not available now)") % {"name": found.model}
    return list(choices.items())


def _explain_conflict(form: AssistantForm, found: Assistant) -> None:
    """Sending the form again then puts the kept settings on top of the other person's."""
    form.add_error(
        None,
        _(
            "Someone else changed these settings while you were editing. Your changes are kept below; saving again "
            "overwrites theirs."
        ),
    )
    typed = cast(QueryDict, form.data).copy()
    typed["based_on"] = str(found.version)
    form.data = typed


def _page(request: DeskRequest, found: Assistant, form: AssistantForm, *, status: int = 200) -> HttpResponse:
    return render(request, "conversations/assistant.html", {"form": form, "assistant": found}, status=status)
