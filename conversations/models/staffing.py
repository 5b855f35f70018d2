"""Who is at the desk, for how many conversations, and in which teams."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from helpdesk.tenants.models import TenantModel

MOST_CAPACITY = 100


class Staffing(TenantModel):
    """One person's presence and capacity. `present_until` is renewed while they have the desk open, and runs out by itself.

    `is_away` is what they chose; `capacity` None is the company's usual one; `assigned_at` is when it was last their turn.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    is_away = models.BooleanField(default=False)
    present_until = models.DateTimeField(null=True, blank=True)
    capacity = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(0), MaxValueValidator(MOST_CAPACITY)]
    )
    assigned_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "user"], name="one_staffing_per_person")]

    def __str__(self) -> str:
        return str(self.user_id)

    @property
    def is_present(self) -> bool:
        """Whether they have the desk open and did not say that they are away."""
        return not self.is_away and self.present_until is not None and self.present_until > timezone.now()


class Team(TenantModel):
    """Some of the company's people. Hand-offs of its `reasons` are theirs first; who is next stands behind in `position`."""

    name = models.CharField(max_length=40)
    position = models.PositiveIntegerField()
    reasons = ArrayField(models.CharField(max_length=16), default=list, blank=True)

    class Meta(TenantModel.Meta):
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint("tenant", Lower("name"), name="team_name_unique")]

    def __str__(self) -> str:
        return self.name


class TeamMember(TenantModel):
    """That a person is in a team."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["team", "user"], name="once_in_a_team")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.team_id}"
