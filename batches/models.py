"""Batch jobs: many questions at once, answered when nobody else needs the engine."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conversations.models import Reply, Visitor
from helpdesk.api_keys.models import ApiKey
from helpdesk.tenants.models import Language, TenantModel


class BatchState(models.TextChoices):
    """The life of a batch: queued -> running -> done, or -> cancelling -> cancelled."""

    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    CANCELLING = "cancelling", _("Cancelling")
    CANCELLED = "cancelled", _("Cancelled")
    DONE = "done", _("Done")


OPEN_STATES = (BatchState.QUEUED, BatchState.RUNNING, BatchState.CANCELLING)
FED_STATES = (BatchState.QUEUED, BatchState.RUNNING)


class Batch(TenantModel):
    """One submission. `visitor` is the customer that its conversations belong to, so that one key seals its traces.

    `defaults` are `RequestParameters` for items that say nothing else, until the batch ends. `fed_at` is when an item last began.
    """

    name = models.CharField(max_length=120, blank=True)
    state = models.CharField(max_length=10, choices=BatchState, default=BatchState.QUEUED)
    defaults = models.JSONField(default=dict, blank=True)
    item_count = models.PositiveIntegerField(default=0)
    visitor = models.ForeignKey(Visitor, on_delete=models.PROTECT, related_name="+")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    api_key = models.ForeignKey(ApiKey, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    fed_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["tenant", "-created_at", "-id"], name="batches_by_age"),
            models.Index(
                fields=["tenant"],
                condition=models.Q(state__in=["queued", "running", "cancelling"]),
                name="open_batches",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.state}"


class ItemState(models.TextChoices):
    """The life of an item: waiting -> running -> done | failed | cancelled; waiting -> cancelled."""

    WAITING = "waiting", _("Waiting")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


class BatchItem(TenantModel):
    """One question of a batch. `position` counts from 1 as submitted, `finish_number` rises in the order of the ends.

    `messages` and `parameters` are emptied when the item begins or is cancelled: what it asks then stands in its
    conversation alone, where erasing finds it.
    """

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="items")
    position = models.PositiveIntegerField()
    custom_id = models.CharField(max_length=64)
    messages = models.JSONField(default=list)
    parameters = models.JSONField(default=dict, blank=True)
    language = models.CharField(max_length=2, choices=Language)
    state = models.CharField(max_length=9, choices=ItemState, default=ItemState.WAITING)
    reply = models.OneToOneField(Reply, null=True, blank=True, on_delete=models.SET_NULL, related_name="batch_item")
    error_code = models.CharField(max_length=40, blank=True)
    finish_number = models.PositiveIntegerField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "position"], name="batch_item_position_unique"),
            models.UniqueConstraint(fields=["batch", "custom_id"], name="batch_item_custom_id_unique"),
            models.UniqueConstraint(fields=["batch", "finish_number"], name="batch_item_finish_number_unique"),
        ]
        indexes = [models.Index(fields=["tenant", "batch", "state", "position"], name="batch_items_by_state")]

    def __str__(self) -> str:
        return f"{self.batch_id} #{self.position} {self.state}"
