"""Who has a conversation: what a person at the desk does about it besides replying."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from conversations import domain
from conversations.errors import AlreadyTaken, NewerConversation
from conversations.forms import NoteForm
from conversations.hand_off import writing
from conversations.inbox.notes import add_note
from conversations.queries import conversation_by_id
from helpdesk.facts.kinds import user_actor
from helpdesk.permissions import Right
from helpdesk.users.access import DeskRequest, desk_view

# The notice about a closed conversation carries a button that opens it again.
UNDO = "undo"


@require_POST
@desk_view(Right.REPLY)
def take(request: DeskRequest, conversation_id: UUID) -> HttpResponse:
    """Make the conversation one's own; who was slower learns who was first."""
    conversation_by_id(conversation_id)
    try:
        domain.take_conversation(tenant_id=request.tenant.id, conversation_id=conversation_id, user=request.user)
    except AlreadyTaken as error:
        messages.warning(request, str(error.message))
    return _to_conversation(request, conversation_id)


@require_POST
@desk_view(Right.REPLY)
def hand_back(request: DeskRequest, conversation_id: UUID) -> HttpResponse:
    """Let the assistant answer again."""
    conversation_by_id(conversation_id)
    answers_now = domain.hand_back_to_assistant(
        tenant_id=request.tenant.id, conversation_id=conversation_id, actor=user_actor(request.user)
    )
    at_once, later = _("The AI is answering the last message."), _("The AI answers the customer's next message.")
    messages.success(request, at_once if answers_now else later)
    return _to_conversation(request, conversation_id)


@require_POST
@desk_view(Right.REPLY)
def close(request: DeskRequest, conversation_id: UUID) -> HttpResponse:
    """End the conversation."""
    domain.close_conversation(
        tenant_id=request.tenant.id, conversation_id=conversation_id, actor=user_actor(request.user)
    )
    closed = _("The conversation is closed. The customer's next message opens a new one.")
    messages.success(request, closed, extra_tags=UNDO)
    return _to_conversation(request, conversation_id)


@require_POST
@desk_view(Right.REPLY)
def reopen(request: DeskRequest, conversation_id: UUID) -> HttpResponse:
    """Open a closed conversation again: for oneself or, as an undo, for whoever had it."""
    conversation_by_id(conversation_id)
    try:
        domain.reopen_conversation(
            tenant_id=request.tenant.id,
            conversation_id=conversation_id,
            user=request.user,
            is_undo=UNDO in request.POST,
        )
    except NewerConversation as error:
        messages.warning(request, str(error.message))
    return _to_conversation(request, conversation_id)


@require_POST
@desk_view(Right.REPLY)
def note(request: DeskRequest, conversation_id: UUID) -> HttpResponse:
    """Keep a private note; what was typed stays in its box when it cannot be kept."""
    form = NoteForm(request.POST)
    is_partial = getattr(request, "htmx", False)
    if form.is_valid():
        body = form.cleaned_data["note"]
        add_note(tenant_id=request.tenant.id, conversation_id=conversation_id, user=request.user, body=body)
        if is_partial:
            return HttpResponse(status=204, headers={"HX-Trigger": "replied"})
        return _to_conversation(request, conversation_id)
    if is_partial:
        return render(request, "conversations/_note_problem.html", {"note_form": form}, status=422)
    for error in form.errors["note"]:
        messages.error(request, str(error))
    return _to_conversation(request, conversation_id)


@require_POST
@desk_view(Right.REPLY)
def write(request: DeskRequest, conversation_id: UUID) -> HttpResponse:
    """The person is writing, or (`stopped`) has given it up. Answers with the line above the reply box."""
    change = writing.end_writing if "stopped" in request.POST else writing.begin_writing
    change(tenant_id=request.tenant.id, conversation_id=conversation_id, user=request.user)
    found = conversation_by_id(conversation_id)
    context = {
        "conversation": found,
        "owner": str(found.assignee) if found.assignee else "",
        "is_mine": found.assignee_id == request.user.pk,
        "is_others_writing": found.writer_id not in (None, request.user.pk) and found.seconds_of_writing > 0,
    }
    return render(request, "conversations/_composer_hint.html", context)


def _to_conversation(request: DeskRequest, conversation_id: UUID) -> HttpResponse:
    return redirect("desk:conversation", tenant_slug=request.tenant.slug, conversation_id=conversation_id)
