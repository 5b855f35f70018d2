"""Facts, and what went wrong in delivering them."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Func, Q, Value
from django.utils import timezone

from helpdesk.facts.kinds import ActorKind
from helpdesk.tenants.models import TenantModel

NUMBERS = "facts_fact_number"
IS_OWED = ~Q(owed=[])


class Fact(TenantModel):
    """Something that happened, in ids, codes and numbers. The id is the key by which a subscriber knows it again.

    Facts of one lane (a conversation, or else the subject) are delivered in the order of their numbers. `owed` names the
    subscribers that have not had it yet.
    """

    number = models.BigIntegerField(editable=False, db_default=Func(Value(NUMBERS), function="nextval"))
    kind = models.CharField(max_length=40)
    lane = models.UUIDField()
    conversation_id = models.UUIDField(null=True)
    subject_id = models.UUIDField(null=True)
    actor = models.CharField(max_length=8, choices=ActorKind)
    actor_id = models.CharField(max_length=36, blank=True)
    data = models.JSONField(default=dict)
    at = models.DateTimeField(default=timezone.now)
    owed = ArrayField(models.CharField(max_length=40), default=list)

    class Meta(TenantModel.Meta):
        indexes = [
            models.Index(fields=["tenant", "lane", "number"], condition=IS_OWED, name="facts_owed"),
            models.Index(fields=["tenant", "at"], name="facts_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"


class Setback(TenantModel):
    """A fact that a subscriber could not take: tried again at `retry_at`, until it is parked and waits for a person."""

    fact = models.ForeignKey(Fact, on_delete=models.CASCADE, related_name="setbacks")
    subscriber = models.CharField(max_length=40)
    failures = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=80)
    retry_at = models.DateTimeField()
    parked_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["fact", "subscriber"], name="one_setback_for_each_delivery")]

    def __str__(self) -> str:
        return f"{self.subscriber} {self.failures}"
