"""The company's canned replies. Runs inside `tenant_atomic`."""

from __future__ import annotations

import re
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from conversations.inbox.placeholders import Known, check_placeholders, filled
from conversations.models import CannedReply, Conversation
from conversations.validation import CONTROLS, MESSAGE_CHARACTERS
from helpdesk.errors import Conflict, InvalidInput, NotFound
from helpdesk.facts.kinds import Actor, FactKind
from helpdesk.facts.recording import record
from helpdesk.permissions import Right
from helpdesk.users.acting import needs

MOST_REPLIES = 1000
PER_PAGE = 50
OFFERED = 8
SEARCH_CHARACTERS = 60
SHORTCUT = re.compile(r"[\w-]{1,40}")


def canned_replies(text: str = "") -> QuerySet[CannedReply]:
    """Those whose shortcut or text has these words, by shortcut."""
    rows: QuerySet[CannedReply] = CannedReply.objects.order_by(Lower("shortcut"), "id")
    wanted = text.strip().lstrip("/")[:SEARCH_CHARACTERS].replace("\x00", "")
    for word in wanted.split():
        rows = rows.filter(Q(shortcut__icontains=word) | Q(text_en__icontains=word) | Q(text_zh__icontains=word))
    return rows


def offers(text: str, conversation: Conversation, *, agent: str, company: str) -> list[tuple[str, str]]:
    """Shortcuts and filled texts that fit what somebody types in the reply box; those whose shortcut begins so come first."""
    beginning = text.strip().lstrip("/")[:SEARCH_CHARACTERS].replace("\x00", "")
    first = list(canned_replies().filter(shortcut__istartswith=beginning)[:OFFERED])
    known = {each.id for each in first}
    rest = [each for each in canned_replies(text)[: 2 * OFFERED] if each.id not in known] if beginning else []
    values = Known(customer=conversation.visitor.name, agent=agent, company=company)
    return [
        (each.shortcut, filled(each.text_in(conversation.language), values, conversation.language))
        for each in (first + rest)[:OFFERED]
    ]


@needs(Right.MANAGE_INBOX)
def create_canned_reply(*, shortcut: str, text_en: str, text_zh: str, actor: Actor) -> CannedReply:
    """Add one. Raises InvalidInput, or Conflict for a shortcut that there is."""
    if CannedReply.objects.count() >= MOST_REPLIES:
        raise InvalidInput(
            _("You have %(most)d canned replies, which is the limit. Delete one first.") % {"most": MOST_REPLIES}
        )
    reply = CannedReply()
    _store(reply, shortcut, text_en, text_zh)
    record(FactKind.CANNED_REPLY_CREATED, subject_id=reply.id, actor=actor)
    return reply


@needs(Right.MANAGE_INBOX)
def change_canned_reply(reply_id: UUID, *, shortcut: str, text_en: str, text_zh: str, actor: Actor) -> CannedReply:
    """Write one anew. Raises InvalidInput, NotFound, or Conflict for a shortcut that there is."""
    reply: CannedReply | None = CannedReply.objects.select_for_update(no_key=True).filter(id=reply_id).first()
    if reply is None:
        raise NotFound
    _store(reply, shortcut, text_en, text_zh)
    record(FactKind.CANNED_REPLY_CHANGED, subject_id=reply.id, actor=actor)
    return reply


@needs(Right.MANAGE_INBOX)
def delete_canned_reply(reply_id: UUID, *, actor: Actor) -> None:
    """Raises NotFound."""
    if not CannedReply.objects.filter(id=reply_id).delete()[0]:
        raise NotFound
    record(FactKind.CANNED_REPLY_DELETED, subject_id=reply_id, actor=actor)


def _store(reply: CannedReply, shortcut: str, text_en: str, text_zh: str) -> None:
    reply.shortcut = _clean_shortcut(shortcut)
    reply.text_en, reply.text_zh = _clean_text(text_en), _clean_text(text_zh)
    if not (reply.text_en or reply.text_zh):
        raise InvalidInput(_("Write the text in English, in Chinese or in both."))
    try:
        with transaction.atomic():
            reply.save()
    except IntegrityError as error:
        raise Conflict(_("A canned reply with this shortcut already exists.")) from error


def _clean_shortcut(raw: str) -> str:
    shortcut = raw.strip().lstrip("/")
    if not SHORTCUT.fullmatch(shortcut):
        raise InvalidInput(_("A shortcut has 1 to 40 letters, digits and hyphens, without spaces."))
    return shortcut


def _clean_text(raw: str) -> str:
    text = raw.replace("\r\n", "\n").replace("\r", "\n").strip()
    if len(text) > MESSAGE_CHARACTERS or CONTROLS.search(text):
        raise InvalidInput(_("A canned reply has up to %(most)d characters.") % {"most": MESSAGE_CHARACTERS})
    check_placeholders(text)
    return text
