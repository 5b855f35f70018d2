"""The AI of a tenant and how it answers."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from helpdesk.tenants.models import TenantModel


class AnswerStyle(models.TextChoices):
    """How the assistant composes an answer. Automatic picks by what the loaded model can do."""

    AUTOMATIC = "automatic", _("Automatic")
    QUOTE = "quote", _("Quote the articles")
    GENERATE = "generate", _("Write freely, with citations")
    FREE = "free", _("The model alone, without articles")
    FIXED = "fixed", _("Standard reply")


# An assistant answers from articles; only a single request can ask for the model alone, and only small talk gets fixed texts.
ASSISTANT_STYLES = [
    (style.value, style.label) for style in AnswerStyle if style not in {AnswerStyle.FREE, AnswerStyle.FIXED}
]


class Assistant(TenantModel):
    """The tenant's AI: how it answers and when it declines."""

    name = models.CharField(max_length=60)
    style = models.CharField(max_length=10, choices=ASSISTANT_STYLES, default=AnswerStyle.AUTOMATIC)
    instructions = models.TextField(blank=True, max_length=2000)
    temperature = models.FloatField(default=0.0, validators=[MinValueValidator(0), MaxValueValidator(2)])
    top_p = models.FloatField(default=1.0, validators=[MinValueValidator(0.01), MaxValueValidator(1)])
    max_tokens = models.PositiveIntegerField(default=256, validators=[MinValueValidator(16), MaxValueValidator(2048)])
    seed = models.PositiveIntegerField(null=True, blank=True, default=0)
    stop = models.JSONField(default=list, blank=True)
    # The name under which a worker serves it; empty means the desk's first model.
    model = models.CharField(max_length=60, blank=True)
    # Grows with every change that may alter answers, so that no cached answer outlives it.
    version = models.PositiveIntegerField(default=1)
    refusal_gate = models.JSONField(default=dict, blank=True)
    suggestions = models.JSONField(default=dict, blank=True)
    is_default = models.BooleanField(default=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant"], condition=models.Q(is_default=True), name="one_default_assistant_per_tenant"
            )
        ]

    def __str__(self) -> str:
        return self.name
