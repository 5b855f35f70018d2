"""What the company's people write for each other beside a conversation."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from conversations.models.conversation import Conversation
from helpdesk.tenants.models import TenantModel


class Note(TenantModel):
    """A private note. It is no message, so that nothing that shows messages to customers can show it.

    `position` is that of the last message of the transcript when it was written; it stands behind it.
    """

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="notes")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    # Then there is no person behind it.
    by_rule = models.BooleanField(default=False, db_default=False)
    body = models.TextField()
    position = models.PositiveIntegerField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        ordering = ["created_at"]

    def __str__(self) -> str:
        return str(self.id)
