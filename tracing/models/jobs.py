"""Analyses that were asked for, and the calibration in force."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from helpdesk.api_keys.models import ApiKey
from helpdesk.tenants.models import TenantModel
from tracing.models.traces import AnalysisKind, Trace, TraceAnalysis


class JobState(models.TextChoices):
    """Where an analysis stands."""

    QUEUED = "queued", _("waiting")
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")


class AnalysisJob(TenantModel):
    """A request to analyse one trace. `parameters` hold ids and numbers, never content.

    Nobody and no key has requested the analysis that follows every answer.
    """

    trace = models.ForeignKey(Trace, on_delete=models.CASCADE, related_name="jobs")
    kind = models.CharField(max_length=12, choices=AnalysisKind)
    parameters = models.JSONField(default=dict)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    requested_by_key = models.ForeignKey(ApiKey, null=True, on_delete=models.SET_NULL, related_name="+")
    state = models.CharField(max_length=8, choices=JobState, default=JobState.QUEUED)
    attempt = models.PositiveSmallIntegerField(default=0)
    error_code = models.CharField(max_length=20, blank=True)
    queued_at = models.DateTimeField(default=timezone.now)
    claimed_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    analysis = models.ForeignKey(
        TraceAnalysis, null=True, on_delete=models.SET_NULL, related_name="+", db_constraint=False
    )

    class Meta(TenantModel.Meta):
        ordering = ["queued_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "trace", "kind", "parameters"],
                condition=models.Q(state__in=["queued", "running"]),
                name="one_open_analysis_of_a_kind",
            )
        ]
        indexes = [
            models.Index(
                fields=["tenant", "queued_at"],
                condition=models.Q(state__in=["queued", "running"]),
                name="open_analysis_jobs",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.trace_id}: {self.state}"

    @property
    def is_automatic(self) -> bool:
        """Whether nobody asked for it, so that it gives way to everything."""
        return self.requested_by_id is None and self.requested_by_key_id is None


class Calibration(TenantModel):
    """A calibration of the tenant's confidence; the newest one is in force. `model` is `ConfidenceModel` as JSON."""

    version = models.CharField(max_length=12)
    model = models.JSONField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["tenant", "-created_at"], name="calibrations_by_age")]

    def __str__(self) -> str:
        return self.version
