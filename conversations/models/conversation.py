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


class Conversation(TenantModel):
    """One thread with one visitor. A deleted one is an empty shell that the chain of traces still refers to.

    `writer` is the person who is writing a reply until `writer_until`; as long, the assistant holds its answers back.
    `alarmed_at` is when it was said that nobody takes it, of one that waits.
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
    created_at = models.DateTimeField(default=timezone.now)
    last_message_at = models.DateTimeField(default=timezone.now)
    last_author = models.CharField(max_length=8, choices=Author, default=Author.CUSTOMER)
    preview = models.CharField(max_length=160, blank=True)
    message_count = models.PositiveIntegerField(default=0)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        indexes = [
            models.Index(fields=["tenant", "status", "-last_message_at"], name="inbox_by_status"),
            models.Index(fields=["tenant", "-last_message_at"], name="inbox_by_time"),
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
