"""How a conversation went, in the customer's eyes: asked once when it is resolved, rated from 1 to 5, changeable for a day."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.channels import rules_of
from conversations.entries import StatusChanged, to_plain
from conversations.errors import SurveyOver
from conversations.models import AnsweredBy, Author, Conversation, ConversationStatus, Message, Outcome, Survey
from conversations.models.survey import BEST, WORST
from conversations.publishing import publish_softly
from conversations.transcript import append_event
from conversations.validation import clean_comment
from conversations.words import RATED
from helpdesk.errors import InvalidInput, NotFound
from helpdesk.facts.kinds import Actor, ActorKind, FactKind
from helpdesk.facts.recording import record
from helpdesk.streams.entries import conversation_stream
from helpdesk.tenants.scope import current_tenant_id, tenant_atomic


def ask_how_it_went(conversation: Conversation) -> None:
    """Ask the customer of a conversation that has just ended, where somebody answered them. Inside the caller's transaction."""
    answered_by = _answered_by(conversation.id)
    if answered_by is None or not rules_of(conversation.channel).asks_how_it_went:
        return
    Survey.objects.get_or_create(conversation=conversation, defaults={"answered_by": answered_by})


def rate_conversation(
    *, tenant_id: UUID, visitor_id: UUID, conversation_id: UUID, score: object, comment: object = ""
) -> Survey:
    """Keep the customer's rating; the same again changes nothing. Raises NotFound where this visitor was not asked, SurveyOver
    when it is too late, InvalidInput for a score or comment that cannot be kept.
    """
    if type(score) is not int or not WORST <= score <= BEST:
        raise InvalidInput(_("A rating is a number from 1 to 5."))
    words = clean_comment(comment)
    with tenant_atomic(tenant_id):
        survey = _open_survey(visitor_id, conversation_id)
        if (survey.score, survey.comment) == (score, words):
            return survey
        was, survey.score, survey.comment = survey.score, score, words
        survey.answered_by = _answered_by(conversation_id) or survey.answered_by
        survey.rated_at, survey.declined_at = survey.rated_at or timezone.now(), None
        survey.save(update_fields=["score", "comment", "answered_by", "rated_at", "declined_at"])
        if was != score:
            append_event(survey.conversation, f"{RATED}{score}")
        record(
            FactKind.CONVERSATION_RATED, conversation_id=conversation_id,
            actor=Actor(ActorKind.CUSTOMER, str(visitor_id)), score=score, answered_by=survey.answered_by,
        )  # fmt: skip
        return survey


def decline_survey(*, tenant_id: UUID, visitor_id: UUID, conversation_id: UUID) -> None:
    """The customer would rather not say; a rating that they have given stays. Raises NotFound."""
    with tenant_atomic(tenant_id):
        survey = _survey(visitor_id, conversation_id)
        if survey.rated_at is None and survey.declined_at is None:
            Survey.objects.filter(id=survey.id).update(declined_at=timezone.now())
            # The customer's other tabs stop asking, too.
            news = {conversation_stream(current_tenant_id(), conversation_id): to_plain(StatusChanged())}
            transaction.on_commit(partial(publish_softly, news))


def stop_asking(conversation_id: UUID) -> None:
    """The customer has gone on to something else. Inside the caller's transaction."""
    rows = Survey.objects.filter(conversation_id=conversation_id, rated_at__isnull=True, declined_at__isnull=True)
    rows.update(declined_at=timezone.now())


def asked_conversation(visitor_id: UUID) -> Conversation | None:
    """The visitor's last conversation, where it has ended and nobody has yet said how it went."""
    last: Conversation | None = (
        Conversation.objects.filter(visitor_id=visitor_id, deleted_at__isnull=True)
        .select_related("survey")
        .order_by("-created_at")
        .first()
    )
    if last is None or last.status != ConversationStatus.CLOSED:
        return None
    survey: Survey | None = getattr(last, "survey", None)
    return last if survey is not None and survey.rated_at is None and survey.is_open else None


def blank_survey_comments(rows: QuerySet[Survey]) -> int:
    """Empty what people wrote in these rows; ratings stay. Returns how many had a comment."""
    return rows.exclude(comment="").update(comment="")


def _open_survey(visitor_id: UUID, conversation_id: UUID) -> Survey:
    survey = _survey(visitor_id, conversation_id)
    if not survey.is_open:
        raise SurveyOver
    return survey


def _survey(visitor_id: UUID, conversation_id: UUID) -> Survey:
    """Under the conversation's lock, under which everything that happens in it is recorded."""
    conversations = Conversation.objects.filter(
        id=conversation_id, visitor_id=visitor_id, status=ConversationStatus.CLOSED, deleted_at__isnull=True
    )
    conversation: Conversation | None = conversations.select_for_update(no_key=True).first()
    survey: Survey | None = Survey.objects.filter(conversation=conversation).first() if conversation else None
    if conversation is None or survey is None:
        raise NotFound
    survey.conversation = conversation
    return survey


def _answered_by(conversation_id: UUID) -> AnsweredBy | None:
    """Who has answered; None when nobody has, and there is nothing to rate."""
    said: dict[str, Any] = {"conversation_id": conversation_id}
    has_person = Message.objects.filter(author=Author.PERSON, **said).exists()
    ai = Message.objects.filter(author=Author.AI, **said)
    if has_person:
        return AnsweredBy.MIXED if ai.filter(outcome=Outcome.ANSWERED).exists() else AnsweredBy.PERSON
    return AnsweredBy.AI if ai.exists() else None
