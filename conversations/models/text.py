"""Which words occur in which conversation."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from conversations.models.conversation import Conversation
from helpdesk.tenants.models import TenantModel


class ConversationText(TenantModel):
    """The words that were said in a conversation, each once: what the inbox is searched by.

    They are as secret as the messages that they come from, and go with them.
    """

    conversation = models.OneToOneField(Conversation, on_delete=models.CASCADE, related_name="text")
    words = SearchVectorField()

    class Meta(TenantModel.Meta):
        indexes = [GinIndex(fields=["words"], name="conversations_by_word")]

    def __str__(self) -> str:
        return f"the words of {self.conversation_id}"
