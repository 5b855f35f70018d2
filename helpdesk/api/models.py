"""Requests that must not be carried out twice."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from helpdesk.api_keys.models import ApiKey
from helpdesk.tenants.models import TenantModel


class IdempotentRequest(TenantModel):
    """A POST that came with an Idempotency-Key, and what was answered; `status` is None while it is being carried out.

    `digest` is the SHA-256 over method, path and body. `body` may hold what somebody wrote: it is protected like messages
    are (row-level security), lives a day, and goes with its `subject` when that is deleted before.
    """

    api_key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    digest = models.CharField(max_length=64)
    subject = models.UUIDField(null=True, blank=True)
    claimed_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    location = models.CharField(max_length=500, blank=True)
    body = models.TextField(blank=True)
    is_repeatable = models.BooleanField(default=True)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "api_key", "key"], name="idempotency_key_unique")]
        indexes = [
            models.Index(fields=["tenant", "expires_at"], name="idempotency_by_expiry"),
            models.Index(fields=["tenant", "subject"], name="idempotency_by_subject"),
        ]

    def __str__(self) -> str:
        return str(self.id)
