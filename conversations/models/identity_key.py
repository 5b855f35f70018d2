"""Keys with which a company's own server says who a signed-in customer is."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from helpdesk.tenants.models import TenantModel


class IdentityKey(TenantModel):
    """One pair of keys; the private one is shown once and stored nowhere, so that nothing here can sign.

    Rows are never deleted.
    """

    name = models.CharField(max_length=80)
    # What a signed identity calls the key (`kid`).
    kid = models.CharField(max_length=16)
    public_key = models.TextField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta(TenantModel.Meta):
        ordering = ["-created_at", "id"]
        constraints = [models.UniqueConstraint(fields=["tenant", "kid"], name="identity_key_kid_unique")]

    def __str__(self) -> str:
        return self.kid
