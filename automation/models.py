"""The company's rules, and what became of each time that one held."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conversations.models import Conversation
from helpdesk.tenants.models import TenantModel


class Trigger(models.TextChoices):
    """What a rule begins with."""

    STARTED = "started", _("A conversation starts")
    WROTE = "wrote", _("A customer writes")
    WAITING = "waiting", _("A customer begins to wait for a person")
    UNCLAIMED = "unclaimed", _("Nobody takes a waiting customer in time")
    OVERDUE = "overdue", _("A response time is over")
    RATED_DOWN = "rated_down", _("A customer rates an answer as not helpful")
    LABELLED = "labelled", _("A label is added")
    PRIORITY = "priority", _("The priority changes")
    ASSIGNED = "assigned", _("It is assigned to somebody")
    CLOSED = "closed", _("It is closed")


class Rule(TenantModel):
    """One rule. `conditions` and `actions` are read by the modules of these names, which check what is in them.

    Rules of the same beginning run in the order of `position`.
    """

    name = models.CharField(max_length=60)
    trigger = models.CharField(max_length=12, choices=Trigger)
    conditions = models.JSONField(default=dict, blank=True)
    actions = models.JSONField(default=dict)
    is_active = models.BooleanField(default=True)
    position = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        indexes = [
            models.Index(fields=["tenant", "trigger"], condition=models.Q(is_active=True), name="rules_by_trigger")
        ]

    def __str__(self) -> str:
        return self.name


class RunOutcome(models.TextChoices):
    """What became of a rule that held."""

    DONE = "done", _("Done")
    NOTHING = "nothing", _("Nothing to change")
    FAILED = "failed", _("Failed")
    LIMITED = "limited", _("Stopped: too many in an hour")


class RuleRun(TenantModel):
    """One time that a rule held. The fact's id sees to it that a rule runs once for it."""

    rule = models.ForeignKey(Rule, on_delete=models.CASCADE, related_name="runs", db_index=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="+", db_index=False)
    fact_id = models.UUIDField()
    outcome = models.CharField(max_length=8, choices=RunOutcome)
    # Names of what was done, or of what failed.
    steps = models.JSONField(default=list)
    at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["rule", "fact_id"], name="one_run_for_each_fact")]
        indexes = [
            models.Index(fields=["rule", "-at", "-id"], name="runs_of_rule"),
            models.Index(fields=["conversation", "-at"], name="runs_of_conversation"),
        ]

    def __str__(self) -> str:
        return f"{self.rule_id} {self.outcome}"
