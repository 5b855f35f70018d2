"""What is new to each person: messages that they have not seen, and notes that call them. Runs inside `tenant_atomic`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db.models import Count, Subquery, Value
from django.db.models import OuterRef as Outer
from django.db.models.functions import Coalesce
from django.utils import timezone

from conversations.models import Author, Conversation, ConversationStatus, Mention, Message, Note, Seen
from helpdesk.permissions import Right
from helpdesk.users.acting import needs
from helpdesk.users.models import User

FOR_PEOPLE = frozenset({ConversationStatus.WAITING, ConversationStatus.PERSON})


@needs(Right.SEE_CONVERSATIONS)
def see(conversation: Conversation, *, user_id: int) -> None:
    """The person has the conversation before their eyes, as far as it goes now."""
    up_to = conversation.message_count
    mine = Seen.objects.filter(conversation=conversation, user=user_id)
    if not mine.filter(position__lt=up_to).update(position=up_to):
        new = Seen(conversation=conversation, user_id=user_id, position=up_to)
        Seen.objects.bulk_create([new], ignore_conflicts=True)
    called = Mention.objects.filter(conversation=conversation, user=user_id, seen_at__isnull=True)
    called.update(seen_at=timezone.now())


def unread_counts(conversations: Iterable[Conversation], user_id: int) -> dict[UUID, int]:
    """How many of the customer's messages the person has not seen, in those that are for people; one query for all."""
    ids = [each.id for each in conversations if each.status in FOR_PEOPLE]
    seen = Seen.objects.filter(conversation=Outer("conversation"), user=user_id).values("position")
    unseen = Message.objects.filter(
        conversation__in=ids, author=Author.CUSTOMER, position__gt=Coalesce(Subquery(seen), Value(0))
    )
    return dict(unseen.order_by().values_list("conversation").annotate(number=Count("id")))


def mentioned_in(text: str, people: Sequence[User]) -> list[User]:
    """Whom a note calls by `@` and their name, or its first word where only one has that; each once, in the note's order."""
    by_name: dict[str, list[User]] = {}
    for person in people:
        full = str(person).casefold()
        for name in {full, full.split()[0]}:
            by_name.setdefault(name, []).append(person)
    known = sorted(by_name, key=len, reverse=True)
    called: dict[int, User] = {}
    folded = text.casefold()
    at = folded.find("@")
    while at >= 0:
        if at == 0 or not folded[at - 1].isalnum():
            name = next((each for each in known if _stands(each, folded, at + 1)), "")
            if len(by_name.get(name, [])) == 1:
                [person] = by_name[name]
                called.setdefault(person.pk, person)
        at = folded.find("@", at + 1)
    return list(called.values())


def call(note: Note, people: Iterable[User]) -> int:
    """Have the note stand among what calls these people, but not the one who wrote it; returns how many those are."""
    called = [each for each in people if each.pk != note.user_id]
    Mention.objects.bulk_create(Mention(conversation_id=note.conversation_id, note=note, user=each) for each in called)
    return len(called)


def _stands(name: str, text: str, at: int) -> bool:
    """Whether the name stands there as a whole. Behind one in Chinese the sentence may go on at once."""
    end = at + len(name)
    if text[at:end] != name:
        return False
    following = text[end : end + 1]
    return not (following.isascii() and following.isalnum() and name[-1].isascii())
