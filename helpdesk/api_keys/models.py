"""Keys with which other software acts for a tenant."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from helpdesk.api_keys.scopes import Scope
from helpdesk.tenants.models import TenantModel


class KeyState(models.TextChoices):
    """Whether a key opens anything."""

    ACTIVE = "active", _("Active")
    EXPIRED = "expired", _("Expired")
    REVOKED = "revoked", _("Revoked")


class ApiKey(TenantModel):
    """One key; `digest` is the SHA-256 of its text, which is shown once and stored nowhere. Rows are never deleted."""

    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=8)
    digest = models.CharField(max_length=64)
    scopes = ArrayField(models.CharField(max_length=40, choices=Scope))
    requests_per_minute = models.PositiveIntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta(TenantModel.Meta):
        ordering = ["-created_at", "id"]
        constraints = [models.UniqueConstraint(fields=["tenant", "prefix"], name="api_key_prefix_unique")]

    def __str__(self) -> str:
        return self.prefix

    def state_at(self, now: datetime) -> KeyState:
        """Active, expired or revoked."""
        if self.revoked_at is not None:
            return KeyState.REVOKED
        if self.expires_at is not None and self.expires_at <= now:
            return KeyState.EXPIRED
        return KeyState.ACTIVE
