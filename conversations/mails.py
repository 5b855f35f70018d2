"""Mails about conversations: to the company's people that a customer waits, to a customer what a person answered.

The relay of facts sends them. A mail server that is away is tried again; a process that dies between the sending and its
commit sends a mail twice, and none is ever lost.
"""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from conversations.identity.links import link_for
from conversations.models import Author, ClockKind, Conversation, HandOff, HandOffReason, Message, TeamMember
from conversations.opening.stored import time_zone
from conversations.words import visitor_name
from helpdesk.facts.models import Fact
from helpdesk.permissions import RIGHTS, Right
from helpdesk.tenants.models import Language, Tenant
from helpdesk.tenants.scope import current_tenant_id
from helpdesk.users.models import Membership


def mail_unclaimed(fact: Fact) -> None:
    """To the team whose turn it is, or else to everybody who may reply, in the company's language.

    Nobody sees the others' addresses. A team that everybody has left is as none. Nothing once it is taken.
    """
    rows = HandOff.objects.filter(id=fact.data["hand_off"], ended_at__isnull=True)
    hand_off = rows.select_related("conversation").first()
    people = _addresses(TeamMember.objects.filter(team=fact.data.get("team")).values("user")) or _addresses()
    if hand_off is None or not people:
        return
    tenant = Tenant.objects.get(id=current_tenant_id())
    with translation.override(_locale(tenant.default_language)):
        context = {
            "company": tenant.name_in(tenant.default_language),
            "visitor": visitor_name(hand_off.conversation.visitor_id),
            "reason": HandOffReason(hand_off.reason).label,
            "minutes": max(1, round(fact.data["seconds"] / 60)),
            "link": f"{settings.ADDRESS}/desk/{tenant.slug}/inbox/{hand_off.conversation_id}/",
        }
        _send("conversations/email/unclaimed", context, bcc=people)


def mail_breach(fact: Fact) -> None:
    """To whom it is assigned, or else to everybody who may reply, in the company's language."""
    rows = Conversation.objects.filter(id=fact.conversation_id, overdue_at__isnull=False, deleted_at__isnull=True)
    conversation = rows.first()
    if conversation is None:
        return
    # Who has left the company keeps what they had assigned, and learns nothing of it any more.
    people = _addresses([conversation.assignee_id]) or _addresses()
    if not people:
        return
    tenant = Tenant.objects.get(id=current_tenant_id())
    with translation.override(_locale(tenant.default_language)):
        context: dict[str, object] = {
            "company": tenant.name_in(tenant.default_language),
            "visitor": visitor_name(conversation.visitor_id),
            "promise": ClockKind(fact.data["clock"]).label,
            "link": f"{settings.ADDRESS}/desk/{tenant.slug}/inbox/{conversation.id}/",
        }
        _send("conversations/email/breached", context, bcc=people)


def _addresses(user_ids: Any = None) -> list[str]:
    """Of the company's people who may reply; of these alone, if they are given."""
    roles = [str(role) for role, rights in RIGHTS.items() if Right.REPLY in rights]
    members = Membership.objects.filter(role__in=roles, user__is_active=True)
    if user_ids is not None:
        members = members.filter(user__in=user_ids)
    return list(members.values_list("user__email", flat=True))


def mail_answer(fact: Fact) -> None:
    """A person's answer to the address that the customer left; nothing where they left none."""
    messages = Message.objects.filter(id=fact.subject_id, author=Author.PERSON)
    message = messages.select_related("user", "conversation__visitor").first()
    address = message.conversation.visitor.answer_email if message else ""
    if message is None or not address:
        return
    tenant = Tenant.objects.get(id=current_tenant_id())
    language = message.conversation.language
    with translation.override(_locale(language)):
        context = {
            "company": tenant.name_in(language),
            "person": message.user.name if message.user else "",
            "body": message.body,
            "contact": tenant.contact_email,
            "link": link_for(tenant, message.conversation.visitor),
        }
        _send("conversations/email/answer", context, to=[address], reply_to=[tenant.contact_email])


def mail_transcript(fact: Fact) -> None:
    """The conversation to the address of the customer who asked for it; nothing once it is deleted, or the address gone."""
    rows = Conversation.objects.filter(id=fact.conversation_id, deleted_at__isnull=True)
    conversation: Conversation | None = rows.select_related("visitor", "assistant").first()
    if conversation is None or not conversation.visitor.answer_email:
        return
    tenant = Tenant.objects.get(id=current_tenant_id())
    zone = time_zone()
    with translation.override(_locale(conversation.language)):
        context: dict[str, object] = {
            "company": tenant.name_in(conversation.language),
            "lines": [_line(message, conversation, zone) for message in _said(conversation)],
            "zone": str(zone),
            "contact": tenant.contact_email,
            "link": link_for(tenant, conversation.visitor),
        }
        to, reply_to = [conversation.visitor.answer_email], [tenant.contact_email]
        _send("conversations/email/transcript", context, to=to, reply_to=reply_to)


def _said(conversation: Conversation) -> QuerySet[Message]:
    rows: QuerySet[Message] = Message.objects.filter(conversation=conversation).exclude(author=Author.SYSTEM)
    return rows.select_related("user").order_by("position")


def _line(message: Message, conversation: Conversation, zone: ZoneInfo) -> dict[str, str]:
    names = {
        Author.CUSTOMER: _("You"),
        Author.AI: _("%(name)s (AI)") % {"name": conversation.assistant.name},
        Author.PERSON: (message.user.name if message.user else "") or _("A person"),
    }
    return {
        "name": str(names[Author(message.author)]),
        "at": date_format(message.created_at.astimezone(zone), "DATETIME_FORMAT"),
        "body": message.body,
        "sources": "; ".join(dict.fromkeys(str(source["title"]) for source in message.sources)),
    }


def is_of_person(fact: Fact) -> bool:
    """Whether the message is one that a person wrote."""
    return bool(fact.data.get("author") == Author.PERSON)


def _send(template: str, context: dict[str, object], **addresses: list[str]) -> None:
    subject = " ".join(render_to_string(f"{template}_subject.txt", context).split())
    body = render_to_string(f"{template}_message.txt", context)
    kept = {name: [each for each in values if each] for name, values in addresses.items()}
    EmailMessage(subject, body, to=kept.get("to"), bcc=kept.get("bcc"), reply_to=kept.get("reply_to")).send()


def _locale(language: str) -> str:
    return "zh-hans" if language == Language.CHINESE else "en"
