"""Texts that a company's people send again and again."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from helpdesk.tenants.models import Language, TenantModel


class CannedReply(TenantModel):
    """A text by a short name, in English, in Chinese or in both; it may hold placeholders (`conversations.inbox.canned`)."""

    shortcut = models.CharField(max_length=40)
    text_en = models.TextField(blank=True)
    text_zh = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint("tenant", Lower("shortcut"), name="canned_reply_shortcut_unique")]

    def __str__(self) -> str:
        return self.shortcut

    def text_in(self, language: str) -> str:
        """The text in that language; in the other one where there is none."""
        wanted, other = (self.text_zh, self.text_en) if language == Language.CHINESE else (self.text_en, self.text_zh)
        return wanted or other
