"""When a company's people are there for its customers."""

from __future__ import annotations

from django.db import models

from helpdesk.tenants.models import TenantModel


class OpeningHours(TenantModel):
    """A company's business hours, of the clocks in `time_zone` (an IANA name). Without a row, or switched off, it never says.

    `week`: seven lists from Monday on, each of spans [from, to] in minutes after midnight. `special` has the same for single
    days by their ISO dates; an empty list is a holiday. `version` grows with every change.
    """

    is_on = models.BooleanField(default=False)
    time_zone = models.CharField(max_length=64)
    week = models.JSONField(default=list)
    special = models.JSONField(default=dict, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant"], name="one_set_of_opening_hours")]

    def __str__(self) -> str:
        return str(self.tenant_id)
