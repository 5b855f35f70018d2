"""The customers of a tenant."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from helpdesk.tenants.models import TenantModel


class Visitor(TenantModel):
    """A customer: an anonymous person on a tenant's website, known by a signed token, or whom an API client speaks for.

    `reference` is what such a client calls the customer; it means nothing to the desk. `subject` is what the company's server
    calls one whom it has signed in, with `name` and `email` as it last said them. `told` is what they
    filled in before the chat, which nobody has proven. `context` is what the page around the chat says of itself. `answer_email`
    is where they want to be answered when they do not wait; it goes with their last conversation, or when they are erased.
    """

    reference = models.CharField(max_length=128, blank=True)
    subject = models.CharField(max_length=128, blank=True, default="", db_default="")
    name = models.CharField(max_length=120, blank=True, default="", db_default="")
    email = models.CharField(max_length=254, blank=True, default="", db_default="")
    told = models.JSONField(default=dict, blank=True, db_default=models.Value({}, output_field=models.JSONField()))
    context = models.JSONField(default=dict, blank=True)
    answer_email = models.EmailField(blank=True, default="", db_default="")
    created_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "reference"], condition=~models.Q(reference=""), name="visitor_reference_unique"
            ),
            models.UniqueConstraint(
                fields=["tenant", "subject"], condition=~models.Q(subject=""), name="visitor_subject_unique"
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)
