"""The marks of open work. They hold nothing of a tenant but that there is something to do."""

from __future__ import annotations

from enum import StrEnum, unique

from django.db import models
from django.db.models.functions import Now

from helpdesk.tenants.models import Tenant


@unique
class Kind(StrEnum):
    """What a sweep looks after. Each value stands in the database."""

    REPLIES = "replies"
    BATCHES = "batches"
    EMBEDDINGS = "embeddings"
    REWRITING = "rewriting"
    ANALYSES = "analyses"
    ANCHORS = "anchors"
    RETENTION = "retention"
    IDEMPOTENCY = "idempotency"
    FACTS = "facts"
    OLD_FACTS = "old_facts"
    HAND_OFFS = "hand_offs"
    SNOOZES = "snoozes"
    REVIEWS = "reviews"


class OpenWork(models.Model):
    """A mark: the transaction that wrote it has made work of this kind. Only inserted and deleted, never changed.

    Like Tenant it is no tenant row and has no row-level security: a sweep asks for all tenants at once.
    """

    id = models.BigAutoField(primary_key=True)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, db_index=False, related_name="+")
    kind = models.CharField(max_length=12)
    due_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["kind", "due_at"], name="pending_kind_due")]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"
