"""Wrapped keys, and the record of what was done with them."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from conversations.models import Visitor
from helpdesk.tenants.models import TenantModel
from helpdesk.users.noting import PeopleChange
from tracing.models.chained import ChainedModel


class KeyPurpose(models.TextChoices):
    """What a key is for. Content keys may be retired or destroyed; the chain's and the signing key outlive them."""

    CONTENT = "content", "content"
    CHAIN = "chain", "chain"
    TENANT = "tenant", "tenant"
    SIGNING = "signing", "signing"


class DataKey(TenantModel):
    """A key of one tenant, wrapped by `parent`, or by the master key named in `master_key_id` when there is none.

    Content keys belong to one visitor and are wrapped by the tenant's key; those of format 1 belong to nobody and are
    wrapped by the master key. A destroyed key keeps its row, without the wrapped bytes.
    """

    purpose = models.CharField(max_length=7, choices=KeyPurpose, default=KeyPurpose.CONTENT)
    visitor = models.ForeignKey(Visitor, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.RESTRICT, related_name="children")
    wrapped = models.BinaryField()
    master_key_id = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    retired_at = models.DateTimeField(null=True, blank=True)
    destroyed_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "purpose"],
                condition=models.Q(retired_at__isnull=True, visitor__isnull=True),
                name="one_active_data_key_per_purpose",
            ),
            models.UniqueConstraint(
                fields=["tenant", "visitor"],
                condition=models.Q(retired_at__isnull=True, visitor__isnull=False),
                name="one_active_key_per_visitor",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.id}"


class KeyEventKind(models.TextChoices):
    """What was done with keys."""

    ROTATION_BEGUN = "rotation_begun", "rotation begun"
    ROTATED = "rotated", "rotated"
    CHECKPOINT = "checkpoint", "checkpoint"
    API_KEY_CREATED = "api_key_created", "API key created"
    API_KEY_REVOKED = "api_key_revoked", "API key revoked"
    STATE_NOTED = "state_noted", "state noted"


EVENT_KINDS = [*KeyEventKind.choices, *PeopleChange.choices]


class KeyEvent(ChainedModel):
    """What was done with keys and what changed about people, and signed checkpoints. `subject` is the id of the key, the
    membership or the invitation concerned, which may be gone.

    One event of a chain that is older than such notes, or than API keys, notes the state that it found (`tracing.state`).
    Append-only.
    """

    kind = models.CharField(max_length=16, choices=EVENT_KINDS)
    subject = models.UUIDField(null=True)
    master_key_id = models.CharField(max_length=200, blank=True)
    figures = models.JSONField(default=dict)
    at = models.DateTimeField(default=timezone.now)

    class Meta(ChainedModel.Meta):
        ordering = ["-sequence"]

    def __str__(self) -> str:
        return f"{self.kind} #{self.sequence}"
