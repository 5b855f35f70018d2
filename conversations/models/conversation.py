"""The threads between a customer, the assistant and the tenant's people."""

from __future__ import annotations

import math

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conversations.models.assistant import Assistant
from conversations.models.visitor import Visitor
from helpdesk.tenants.models import Language, TenantModel


class ConversationStatus(models.TextChoices):
    """Who has to act."""

    AI = "ai", _("AI")
    WAITING = "waiting", _("Waiting for a person")
    PERSON = "person", _("With a person")
    CLOSED = "closed", _("Closed")


class Parked(models.TextChoices):
    """What keeps a conversation out of the queues of open work, whoever has it (docs/decisions/0034)."""

    NO = "", _("Open")
    PENDING = "pending", _("Pending")
    SNOOZED = "snoozed", _("Snoozed")


class Stage(models.TextChoices):
    """How far a conversation is: what `Parked` says, and resolved once it is closed."""

    OPEN = "open", _("Open")
    PENDING = "pending", _("Pending")
    SNOOZED = "snoozed", _("Snoozed")
    RESOLVED = "resolved", _("Resolved")


class Priority(models.TextChoices):
    """How much a conversation matters, as the desk's people see it."""

    LOW = "low", _("Low")
    NORMAL = "normal", _("Normal")
    HIGH = "high", _("High")
    URGENT = "urgent", _("Urgent")


class Channel(models.TextChoices):
    """Where a conversation takes place."""

    WIDGET = "widget", _("Website")
    API = "api", _("API")
    BATCH = "batch", _("Batch job")
    SHELL = "shell", _("Shell")


class Author(models.TextChoices):
    """Who wrote a message."""

    CUSTOMER = "customer", _("Customer")
    AI = "ai", _("AI")
    PERSON = "person", _("Person")
    SYSTEM = "system", _("System")


# As `conversations.channels` has it; here because an index can only know what stands in its own condition.
ON_THE_DESK = models.Q(channel=Channel.WIDGET) | models.Q(
    status__in=[ConversationStatus.WAITING, ConversationStatus.PERSON]
)
IS_OPEN = ~models.Q(status=ConversationStatus.CLOSED) & models.Q(parked=Parked.NO)


class Conversation(TenantModel):
    """One thread with one visitor. A deleted one is an empty shell that the chain of traces still refers to.

    `writer` is the person who is writing a reply until `writer_until`; as long, the assistant holds its answers back.
    `alarmed_at` is when it was said that nobody takes it, of one that waits.
    `status` says who has to act, `parked` whether anybody has to now; `wakes_at` is when a snoozed one is open again.
    """

    visitor = models.ForeignKey(Visitor, on_delete=models.CASCADE, related_name="conversations")
    assistant = models.ForeignKey(Assistant, on_delete=models.PROTECT, related_name="+")
    channel = models.CharField(max_length=16, choices=Channel, default=Channel.WIDGET)
    status = models.CharField(max_length=8, choices=ConversationStatus, default=ConversationStatus.AI)
    language = models.CharField(max_length=2, choices=Language, default=Language.ENGLISH)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    waiting_since = models.DateTimeField(null=True, blank=True)
    alarmed_at = models.DateTimeField(null=True, blank=True)
    writer = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    writer_until = models.DateTimeField(null=True, blank=True)
    parked = models.CharField(max_length=8, choices=Parked, blank=True, default=Parked.NO, db_default=Parked.NO)
    wakes_at = models.DateTimeField(null=True, blank=True)
    priority = models.CharField(max_length=8, choices=Priority, default=Priority.NORMAL, db_default=Priority.NORMAL)
    # Of its clocks that run the one that ends first, and since when one is over.
    due_at = models.DateTimeField(null=True, blank=True)
    overdue_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    last_message_at = models.DateTimeField(default=timezone.now)
    last_author = models.CharField(max_length=8, choices=Author, default=Author.CUSTOMER)
    preview = models.CharField(max_length=160, blank=True)
    message_count = models.PositiveIntegerField(default=0)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.CheckConstraint(
                condition=models.Q(parked=Parked.SNOOZED, wakes_at__isnull=False)
                | (~models.Q(parked=Parked.SNOOZED) & models.Q(wakes_at__isnull=True)),
                name="snoozed_until_a_moment",
            )
        ]
        # One for each queue of the inbox, in its order and with its rows only: most conversations are closed.
        indexes = [
            models.Index(fields=["tenant", "status", "-last_message_at"], name="inbox_by_status"),
            models.Index(
                fields=["tenant", "-last_message_at", "-id"], condition=ON_THE_DESK & IS_OPEN, name="inbox_open"
            ),
            models.Index(
                fields=["tenant", "assignee", "-last_message_at", "-id"],
                condition=models.Q(assignee__isnull=False) & IS_OPEN,
                name="inbox_of_person",
            ),
            models.Index(
                fields=["tenant", "-last_message_at", "-id"],
                condition=models.Q(
                    status__in=[ConversationStatus.WAITING, ConversationStatus.PERSON], assignee__isnull=True
                )
                & models.Q(parked=Parked.NO),
                name="inbox_unassigned",
            ),
            models.Index(
                fields=["tenant", "waiting_since", "id"],
                condition=models.Q(status=ConversationStatus.WAITING),
                name="inbox_waiting",
            ),
            models.Index(
                fields=["tenant", "parked", "-last_message_at", "-id"],
                condition=~models.Q(parked=Parked.NO),
                name="inbox_parked",
            ),
            models.Index(
                fields=["tenant", "-last_message_at", "-id"],
                condition=models.Q(status=ConversationStatus.CLOSED),
                name="inbox_resolved",
            ),
            models.Index(
                fields=["tenant", "wakes_at"], condition=models.Q(wakes_at__isnull=False), name="snoozed_by_end"
            ),
            models.Index(fields=["tenant", "due_at", "id"], condition=models.Q(due_at__isnull=False), name="inbox_due"),
            models.Index(fields=["tenant", "-created_at", "-id"], name="conversations_by_age"),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def seconds_of_writing(self) -> int:
        """For how many seconds from now on a person counts as writing; 0 when nobody is."""
        if self.writer_id is None or self.writer_until is None:
            return 0
        return max(0, math.ceil((self.writer_until - timezone.now()).total_seconds()))

    @property
    def stage(self) -> Stage:
        """How far it is, beside who has to act."""
        if self.status == ConversationStatus.CLOSED:
            return Stage.RESOLVED
        return Stage(self.parked or Stage.OPEN)
