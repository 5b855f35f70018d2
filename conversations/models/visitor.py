"""The customers of a tenant."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from helpdesk.tenants.models import TenantModel


class Visitor(TenantModel):
    """A customer: an anonymous person on a tenant's website, known by a signed token, or whom an API client speaks for.

    `reference` is what such a client calls the customer; it means nothing to the desk.
    """

    reference = models.CharField(max_length=128, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "reference"], condition=~models.Q(reference=""), name="visitor_reference_unique"
            )
        ]

    def __str__(self) -> str:
        return str(self.id)
