"""The desk's pages: which company, one conversation, and what a person does in it."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from conversations import domain
from conversations.channels import rules_of
from conversations.errors import AnsweredMeanwhile
from conversations.forms import DraftForm, NoteForm, ReplyForm
from conversations.hand_off.card import hand_off_card
from conversations.inbox import desk
from conversations.inbox.drafts import draft_in, forget_draft, save_draft
from conversations.inbox.labels import labels_of
from conversations.inbox.notes import notes_of, with_notes
from conversations.inbox.rows import owner_words
from conversations.inbox.seeing import see
from conversations.inbox.views import LAST_TENANT, list_context, pane_context, remember_tenant
from conversations.models import Conversation
from conversations.queries import conversation_by_id, waiting_position
from conversations.words import visitor_name
from helpdesk.errors import Conflict, InvalidInput
from helpdesk.pages.page_numbers import requested_number
from helpdesk.permissions import Right
from helpdesk.users.access import DeskRequest, desk_view
from helpdesk.users.models import User
from helpdesk.users.queries import tenants_of


@login_required
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """To the inbox of the person's only or last company; with several and no last one, a choice."""
    memberships = tenants_of(cast(User, request.user))
    last = request.session.get(LAST_TENANT)
    slugs = [tenant.slug for tenant, _role in memberships]
    if "choose" not in request.GET and memberships and (last in slugs or len(slugs) == 1):
        return redirect("desk:inbox", tenant_slug=last if last in slugs else slugs[0])
    return render(request, "conversations/home.html", {"memberships": memberships})


@login_required
@require_GET
def tenants(request: HttpRequest) -> HttpResponse:
    """The items of the company menu in the header."""
    context = {"memberships": tenants_of(cast(User, request.user)), "current": request.GET.get("current", "")}
    return render(request, "conversations/_tenants.html", context)


@require_GET
@desk_view(Right.SEE_CONVERSATIONS)
def conversation(request: DeskRequest, conversation_id: UUID) -> HttpResponse:
    """One conversation with its transcript, its facts and the reply box."""
    remember_tenant(request)
    found = conversation_by_id(conversation_id)
    see(found, user_id=request.user.pk)
    begun = draft_in(conversation_id, request.user.pk)
    return _conversation_page(request, found, ReplyForm(initial={"body": begun}))


@require_GET
@desk_view(Right.SEE_CONVERSATIONS)
def updates(request: DeskRequest, conversation_id: UUID) -> HttpResponse:
    """The messages behind position `after`, and everything around them that may have changed.

    `seen` says that the page is before somebody's eyes.
    """
    found = conversation_by_id(conversation_id)
    if "seen" in request.GET:
        see(found, user_id=request.user.pk)
    after = requested_number(request, "after", default=0)
    notes_shown = requested_number(request, "notes", default=0)
    context = _conversation_context(request, found, after=after, notes_shown=notes_shown)
    return render(request, "conversations/_updates.html", context)


@require_POST
@desk_view(Right.REPLY)
def reply(request: DeskRequest, conversation_id: UUID) -> HttpResponse:
    """Send a person's reply, which takes ownership. What was typed comes back when it cannot be sent."""
    found = conversation_by_id(conversation_id)
    form = ReplyForm(request.POST)
    status = InvalidInput.status
    if form.is_valid():
        try:
            domain.post_person_message(
                tenant_id=request.tenant.id,
                conversation_id=conversation_id,
                user=request.user,
                body=form.cleaned_data["body"],
                seen=form.cleaned_data["seen"],
            )
        except AnsweredMeanwhile as error:
            status = error.status
            form.add_error("body", str(error.message))
        except Conflict as error:
            status = error.status
            closed = _("This conversation has just been closed. The customer's next message starts a new one.")
            form.add_error("body", closed)
        else:
            forget_draft(conversation_id, user_id=request.user.pk)
            return _replied(request, conversation_id)
    if getattr(request, "htmx", False):
        return render(request, "conversations/_problem.html", {"form": form}, status=422)
    return _conversation_page(request, found, form, status=status)


@require_POST
@desk_view(Right.REPLY)
def draft(request: DeskRequest, conversation_id: UUID) -> HttpResponse:
    """Keep what the person has typed so far."""
    form = DraftForm(request.POST)
    if not form.is_valid():
        raise InvalidInput
    save_draft(conversation_id, user_id=request.user.pk, **form.cleaned_data)
    return HttpResponse(status=204)


def _replied(request: DeskRequest, conversation_id: UUID) -> HttpResponse:
    if getattr(request, "htmx", False):
        return HttpResponse(status=204, headers={"HX-Trigger": "replied"})
    return redirect("desk:conversation", tenant_slug=request.tenant.slug, conversation_id=conversation_id)


def _conversation_page(
    request: DeskRequest, found: Conversation, form: ReplyForm, *, status: int = 200
) -> HttpResponse:
    surroundings = list_context(request, selected=found.id) | pane_context(request)
    context = surroundings | _conversation_context(request, found) | {"form": form}
    return render(request, "conversations/conversation.html", context, status=status)


def _conversation_context(
    request: DeskRequest, found: Conversation, *, after: int = 0, notes_shown: int | None = None
) -> dict[str, Any]:
    notes = notes_of(found.id)
    return {
        "conversation": found,
        "note_form": NoteForm(),
        # What a page that shows so many notes lacks.
        "new_notes": notes[notes_shown:] if notes_shown is not None else [],
        "visitor": visitor_name(found.visitor_id),
        "owner": owner_words(found, timezone.now()),
        "waiting_position": waiting_position(found),
        "entries": with_notes(desk.entries(found, after=after), notes if notes_shown is None else []),
        "others": desk.other_conversations(found),
        "labels": labels_of(found.id),
        "is_being_answered": desk.is_being_answered(found),
        "may_reply": Right.REPLY in request.rights and rules_of(found.channel).admits_people,
        "admits_people": rules_of(found.channel).admits_people,
        "card": hand_off_card(found, request.user, request.tenant.name_in(found.language)),
        "is_mine": found.assignee_id == request.user.pk,
        "is_others_writing": found.writer_id not in (None, request.user.pk) and found.seconds_of_writing > 0,
    }
