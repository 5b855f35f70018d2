"""The figures of days, when each day was added up, and whose midnight ends it."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from conversations.models import Label
from helpdesk.tenants.models import TenantModel


class ReportSettings(TenantModel):
    """Where the company's days begin and end."""

    time_zone = models.CharField(max_length=64, default="UTC")

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant"], name="one_set_of_report_settings")]

    def __str__(self) -> str:
        return self.time_zone


class ReportDay(TenantModel):
    """A day that was added up. `due_at` is when it is added up again, because what is counted in it may still change."""

    day = models.DateField()
    added_up_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "day"], name="report_day_once")]
        indexes = [
            models.Index(fields=["tenant", "due_at"], condition=models.Q(due_at__isnull=False), name="report_days_due")
        ]

    def __str__(self) -> str:
        return f"{self.day}"


class DayFigures(TenantModel):
    """What was counted on a day: names of `reports.names` with numbers, of one selection of its conversations.

    Channel and language are empty, and the label is none, where the selection takes all: each question of the page finds
    one row for each day.
    """

    day = models.DateField()
    channel = models.CharField(max_length=16, blank=True, default="")
    language = models.CharField(max_length=2, blank=True, default="")
    label = models.ForeignKey(Label, null=True, blank=True, on_delete=models.CASCADE, related_name="+", db_index=False)
    figures = models.JSONField(default=dict)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "label", "channel", "language", "day"],
                nulls_distinct=False,
                name="figures_once_per_day",
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.channel} {self.language}"
