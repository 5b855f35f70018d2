"""Views of the inbox that people keep for themselves."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from helpdesk.tenants.models import TenantModel


class SavedView(TenantModel):
    """A queue with its filters under a name, of one person. `query` is the address's part behind the question mark."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=40)
    query = models.CharField(max_length=400)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "user", "name"], name="view_name_once_per_person")]

    def __str__(self) -> str:
        return self.name
