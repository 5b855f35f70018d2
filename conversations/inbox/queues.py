"""The inbox's queues, filters and order, and which page of which was asked for. Runs inside `tenant_atomic`.

Pages follow keys, so that what arrives meanwhile shifts nothing and a late page costs no more than the first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Exists, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from conversations.finding import MOST_CHARACTERS, matching
from conversations.inbox.labels import labels_prefetched
from conversations.models import (
    IS_OPEN,
    ON_THE_DESK,
    Author,
    Conversation,
    ConversationStatus,
    Labelling,
    Mention,
    Parked,
    Priority,
)
from helpdesk.errors import NotFound
from helpdesk.tenants.models import Language, Tenant
from helpdesk.tenants.scope import current_tenant_id

ROWS_PER_PAGE = 50
# Nobody acts on the difference between 4,000 and 5,000; counting them all would be the slowest part of the page.
MOST_COUNTED = 1000
NOBODY = "none"
WAITS = Q(status=ConversationStatus.WAITING)
FOR_PEOPLE = Q(status__in=[ConversationStatus.WAITING, ConversationStatus.PERSON])

QUEUES: Mapping[str, str | Promise] = {
    "mine": gettext_lazy("Mine"),
    "mentions": gettext_lazy("Mentions"),
    "unassigned": gettext_lazy("Unassigned"),
    "waiting": gettext_lazy("Waiting"),
    "ai": gettext_lazy("AI"),
    "open": gettext_lazy("All open"),
    "pending": gettext_lazy("Pending"),
    "snoozed": gettext_lazy("Snoozed"),
    "closed": gettext_lazy("Resolved"),
}
# What nobody counts: it only grows.
UNCOUNTED = frozenset({"closed"})
ATTENTION = "attention"
MENTIONS = "mentions"


@dataclass(frozen=True, slots=True)
class Listed:
    """What was asked for: a queue or, with `text`, a search of everything; filters; and behind which row the page begins."""

    queue: str = "open"
    language: str = ""
    label: UUID | None = None
    priority: str = ""
    assignee: str = ""
    text: str = ""
    behind: tuple[datetime, UUID] | None = field(default=None, compare=False)

    @property
    def is_filtered(self) -> bool:
        """Whether anything but the queue was chosen."""
        return bool(self.language or self.label or self.priority or self.assignee or self.text)

    @property
    def query(self) -> str:
        """The address's part behind the question mark, without the page."""
        given = {
            "filter": self.queue, "language": self.language, "label": str(self.label or ""), "priority": self.priority,
            "assignee": self.assignee, "q": self.text,
        }  # fmt: skip
        return urlencode({name: value for name, value in given.items() if value})

    def behind_row(self, row: Conversation) -> str:
        """The query of the page that begins behind that row."""
        at = row.waiting_since if self.is_by_wait else row.last_message_at
        return f"{self.query}&{urlencode({'behind': f'{at:%Y-%m-%dT%H:%M:%S.%f%z}~{row.id}'})}"

    @property
    def is_by_wait(self) -> bool:
        """Whoever waits longest comes first there; everywhere else the last message."""
        return self.queue == "waiting" and not self.text


def read_listed(given: Mapping[str, str]) -> Listed:
    """From an address. Raises NotFound for an unknown queue; what else cannot be is left out, as people edit addresses."""
    queue = given.get("filter", "open")
    if queue not in QUEUES:
        raise NotFound
    assignee = given.get("assignee", "")
    is_person = assignee.isascii() and assignee.isdigit() and len(assignee) < 19
    return Listed(
        queue=queue,
        language=given["language"] if given.get("language") in Language.values else "",
        label=_uuid(given.get("label", "")),
        priority=given["priority"] if given.get("priority") in Priority.values else "",
        assignee=assignee if is_person or assignee == NOBODY else "",
        text=given.get("q", "").replace("\x00", "").strip()[:MOST_CHARACTERS],
        behind=_behind(given.get("behind", "")),
    )


def without_filters(listed: Listed, queue: str) -> str:
    """The query of another queue; filters stay, a search does not."""
    return replace(listed, queue=queue, text="").query


def in_queue(name: str, user_id: int) -> Q:
    """The rows of a queue, in the words of its index."""
    return {
        "mine": Q(assignee=user_id) & IS_OPEN,
        MENTIONS: Q(id__in=Mention.objects.filter(user=user_id).values("conversation")),
        "unassigned": FOR_PEOPLE & Q(assignee__isnull=True, parked=Parked.NO),
        "waiting": Q(status=ConversationStatus.WAITING, parked=Parked.NO),
        "ai": ON_THE_DESK & IS_OPEN & Q(status=ConversationStatus.AI),
        "open": ON_THE_DESK & IS_OPEN,
        "pending": ON_THE_DESK & Q(parked=Parked.PENDING) & ~Q(status=ConversationStatus.CLOSED),
        "snoozed": ON_THE_DESK & Q(parked=Parked.SNOOZED) & ~Q(status=ConversationStatus.CLOSED),
        "closed": ON_THE_DESK & Q(status=ConversationStatus.CLOSED),
        # Whose move it is: the person's own that wait or where the customer wrote last, and what waits for anybody.
        ATTENTION: (Q(assignee=user_id) & (WAITS | Q(last_author=Author.CUSTOMER)) & FOR_PEOPLE & IS_OPEN)
        | (Q(status=ConversationStatus.WAITING, assignee__isnull=True, parked=Parked.NO)),
    }[name]


def on_the_desk() -> QuerySet[Conversation]:
    """What people at the desk look after: of other channels' conversations only those that a person has or is to have."""
    found: QuerySet[Conversation] = Conversation.objects.filter(ON_THE_DESK, message_count__gt=0)
    return found


def counts(user_id: int) -> dict[str, int]:
    """How many conversations each queue has, up to MOST_COUNTED, in one query; `attention` is how many need this person.

    Of mentions those count that the person has not seen.
    """
    names = [name for name in (*QUEUES, ATTENTION) if name not in UNCOUNTED | {MENTIONS}]
    counted = {name: _Capped(_of_queue(name, user_id).order_by()[:MOST_COUNTED]) for name in names}
    unseen = Mention.objects.filter(user=user_id, seen_at__isnull=True).order_by().values("conversation").distinct()
    counted[MENTIONS] = _Capped(Conversation.objects.filter(id__in=unseen)[:MOST_COUNTED])
    found: dict[str, Any] = dict(Tenant.objects.filter(id=current_tenant_id()).values(**counted).get())
    return found


def page_of(listed: Listed, user_id: int) -> tuple[list[Conversation], bool]:
    """A page of conversations and whether there are more."""
    found = matching(listed.text) if listed.text else None
    if listed.text and found is None:
        return [], False
    rows = _of_queue(listed.queue, user_id) if found is None else on_the_desk().filter(found)
    rows = rows.filter(_filters(listed)).select_related("assignee").prefetch_related(labels_prefetched())
    if listed.is_by_wait:
        rows = rows.filter(waiting_since__isnull=False).order_by("waiting_since", "id")
    else:
        rows = rows.order_by("-last_message_at", "-id")
    shown = list(_after(rows, listed)[: ROWS_PER_PAGE + 1])
    return shown[:ROWS_PER_PAGE], len(shown) > ROWS_PER_PAGE


class _Capped(Subquery):
    """How many rows the subquery has; its own limit bounds it."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"

    def __init__(self, rows: QuerySet[Any]) -> None:
        super().__init__(rows.values("id"), output_field=IntegerField())


def _of_queue(name: str, user_id: int) -> QuerySet[Conversation]:
    return Conversation.objects.filter(in_queue(name, user_id), message_count__gt=0)


def _filters(listed: Listed) -> Q:
    wanted = Q()
    if listed.language:
        wanted &= Q(language=listed.language)
    if listed.priority:
        wanted &= Q(priority=listed.priority)
    if listed.label:
        wanted &= Q(Exists(Labelling.objects.filter(conversation=OuterRef("id"), label=listed.label)))
    if listed.assignee:
        wanted &= Q(assignee__isnull=True) if listed.assignee == NOBODY else Q(assignee=int(listed.assignee))
    return wanted


def _after(rows: QuerySet[Conversation], listed: Listed) -> QuerySet[Conversation]:
    if listed.behind is None:
        return rows
    at, row_id = listed.behind
    if listed.is_by_wait:
        return rows.filter(Q(waiting_since__gt=at) | Q(waiting_since=at, id__gt=row_id), waiting_since__gte=at)
    return rows.filter(Q(last_message_at__lt=at) | Q(last_message_at=at, id__lt=row_id), last_message_at__lte=at)


def _behind(raw: str) -> tuple[datetime, UUID] | None:
    at_text, _, id_text = raw.partition("~")
    row_id = _uuid(id_text)
    try:
        at = parse_datetime(at_text)
    except ValueError:
        return None
    return (at, row_id) if at is not None and at.tzinfo is not None and row_id is not None else None


def _uuid(raw: str) -> UUID | None:
    try:
        return UUID(raw)
    except ValueError:
        return None
