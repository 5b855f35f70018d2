"""What each of the company's people has seen of a conversation, and where others called them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from conversations.models.conversation import Conversation
from conversations.models.note import Note
from helpdesk.tenants.models import TenantModel


class Seen(TenantModel):
    """Up to which message a person has seen a conversation; no row for one that they never opened."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="+", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    position = models.PositiveIntegerField()

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["conversation", "user"], name="seen_once_per_person")]

    def __str__(self) -> str:
        return f"{self.conversation_id} up to {self.position}"


class Mention(TenantModel):
    """That a private note calls a person; `seen_at` is when they next opened the conversation."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="mentions")
    note = models.ForeignKey(Note, on_delete=models.CASCADE, related_name="mentions", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["note", "user"], name="mentioned_once_per_note")]
        indexes = [
            models.Index(
                fields=["tenant", "user", "conversation"],
                condition=models.Q(seen_at__isnull=True),
                name="unseen_mentions",
            ),
            models.Index(fields=["tenant", "user", "-created_at"], name="mentions_of_person"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.note_id}"
