"""Replies that somebody has begun to write."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from conversations.models.conversation import Conversation
from helpdesk.tenants.models import TenantModel


class Draft(TenantModel):
    """What a person has typed into the reply box of a conversation and not sent; nobody else sees it."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="+", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    body = models.TextField()
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["conversation", "user"], name="one_draft_per_person")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.conversation_id}"
