"""The page on which owners and admins set what is asked before the chat."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from conversations.models import PreChat
from conversations.pre_chat.changing import change_pre_chat
from conversations.pre_chat.forms import PreChatForm
from helpdesk.errors import Conflict, InvalidInput
from helpdesk.facts.kinds import user_actor
from helpdesk.permissions import Right
from helpdesk.users.access import DeskRequest, desk_view

PAGE = "conversations/pre_chat.html"


@require_http_methods(["GET", "HEAD", "POST"])
@desk_view(Right.MANAGE_WIDGET)
def pre_chat(request: DeskRequest) -> HttpResponse:
    """Read and change it; what was typed comes back when it cannot be saved."""
    if request.method != "POST":
        return render(request, PAGE, {"form": PreChatForm.of(PreChat.objects.first())})
    form = PreChatForm(request.POST)
    if not form.is_valid():
        return render(request, PAGE, {"form": form}, status=InvalidInput.status)
    try:
        changed = change_pre_chat(
            tenant_id=request.tenant.id,
            based_on=form.cleaned_data["based_on"],
            new=form.cleaned_data["new"],
            actor=user_actor(request.user),
        )
    except Conflict as error:
        form.add_error(
            None, _("Somebody changed these settings meanwhile. Yours are kept below; saving again puts them on top.")
        )
        typed = cast(QueryDict, form.data).copy()
        typed["based_on"] = str(PreChat.objects.values_list("version", flat=True).get())
        form.data = typed
        return render(request, PAGE, {"form": form}, status=error.status)
    messages.success(request, _("Saved.") if changed else _("Nothing was changed."))
    return redirect("desk:pre_chat", tenant_slug=request.tenant.slug)
