"""Pages for owners and admins: how long traces are kept, what was deleted, and which conversations are held."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from conversations.queries import conversation_by_id
from helpdesk.permissions import Right
from helpdesk.users.access import DeskRequest, desk_view
from tracing import words
from tracing.holds import active_hold_of, place_hold, release_hold, shown_holds
from tracing.models import DeletionReceipt
from tracing.retention import current_policy
from tracing.retention_changes import latest_changes
from tracing.retention_forms import HoldForm, PolicyForm
from tracing.tasks import next_retention_run

SHOWN_RECEIPTS = 30


@never_cache
def retention(request: HttpRequest, tenant_slug: str) -> HttpResponse:
    """The policy, the holds, and the log of both."""
    view = _set_policy if request.method == "POST" else _shown
    return view(request, tenant_slug)


@desk_view(Right.MANAGE_RETENTION)
def _shown(request: DeskRequest) -> HttpResponse:
    return _page(request, PolicyForm.of(current_policy()))


@desk_view(Right.MANAGE_RETENTION)
def _set_policy(request: DeskRequest) -> HttpResponse:
    form = PolicyForm(request.POST)
    if not form.is_valid() or not form.store(user=request.user):
        return _page(request, form, status=400)
    messages.success(request, _("Saved. It takes effect at the next run."))
    return redirect("tracing:retention", tenant_slug=request.tenant.slug)


@never_cache
@require_GET
@desk_view(Right.MANAGE_RETENTION)
def hold(request: DeskRequest, conversation_id: UUID) -> HttpResponse:
    """Whether the conversation is held, with the form that changes it; a part of its page, or a page for itself."""
    return _hold(request, conversation_id, HoldForm())


@require_POST
@desk_view(Right.MANAGE_RETENTION)
def change_hold(request: DeskRequest, conversation_id: UUID) -> HttpResponse:
    """Hold the conversation, or release it, for the stated reason."""
    conversation, form = conversation_by_id(conversation_id), HoldForm(request.POST)
    if not form.is_valid():
        return _hold(request, conversation_id, form, status=422)
    reason, held = form.cleaned_data["reason"], active_hold_of(conversation_id)
    # Whoever saw the other state asks for what is already so.
    if request.POST.get("action") == "release":
        if held:
            release_hold(held, user=request.user, reason=reason)
    else:
        place_hold(conversation, user=request.user, reason=reason)
    if getattr(request, "htmx", False):
        return _hold(request, conversation_id, HoldForm())
    return redirect("tracing:hold", tenant_slug=request.tenant.slug, conversation_id=conversation_id)


def _hold(request: DeskRequest, conversation_id: UUID, form: HoldForm, *, status: int = 200) -> HttpResponse:
    template = "tracing/_hold.html" if getattr(request, "htmx", False) else "tracing/hold.html"
    conversation = conversation_by_id(conversation_id)
    context = {"conversation": conversation, "held": active_hold_of(conversation_id), "form": form}
    return render(request, template, context, status=status)


def _page(request: DeskRequest, form: PolicyForm, *, status: int = 200) -> HttpResponse:
    context: dict[str, Any] = {
        "form": form,
        "policy": current_policy(),
        "next_run": next_retention_run(),
        "holds": shown_holds(),
        "receipts": DeletionReceipt.objects.all()[:SHOWN_RECEIPTS],
        "changes": [(change, words.policy_words(change.policy)) for change in latest_changes()],
    }
    return render(request, "tracing/retention.html", context, status=status)
