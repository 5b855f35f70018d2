"""What a company asks its customers before they chat."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from helpdesk.tenants.models import TenantModel


class Asks(models.TextChoices):
    """Whether something is asked for."""

    NO = "no", _("Don't ask")
    OPTIONAL = "optional", _("Ask, optional")
    REQUIRED = "required", _("Ask, required")


class PreChat(TenantModel):
    """The form before the first message. Texts by language; without a consent text nothing has to be agreed to. `version` grows
    with every change. Without a row, or switched off, nothing is asked.
    """

    is_on = models.BooleanField(default=False)
    name = models.CharField(max_length=8, choices=Asks, default=Asks.OPTIONAL)
    email = models.CharField(max_length=8, choices=Asks, default=Asks.REQUIRED)
    own = models.CharField(max_length=8, choices=Asks, default=Asks.NO)
    own_label = models.JSONField(default=dict, blank=True)
    consent = models.JSONField(default=dict, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant"], name="one_form_before_the_chat")]

    def __str__(self) -> str:
        return str(self.tenant_id)
