"""Several things that people do in one go."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from helpdesk.tenants.models import TenantModel


class Macro(TenantModel):
    """A name for several actions: orders as in `conversations.inbox.actions`, a note for the team, and a reply in one or both
    languages, with placeholders."""

    name = models.CharField(max_length=40)
    orders = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    note = models.TextField(blank=True)
    reply_en = models.TextField(blank=True)
    reply_zh = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint("tenant", Lower("name"), name="macro_name_unique")]

    def __str__(self) -> str:
        return self.name
