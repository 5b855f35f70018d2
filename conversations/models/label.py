"""Labels: the words of a company for what its conversations are about."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conversations.models.conversation import Conversation
from helpdesk.tenants.models import TenantModel


class LabelColour(models.TextChoices):
    """Colours by name: what each looks like, in light and dark, stands in static/desk/labels.css."""

    GREY = "grey", _("Grey")
    PETROL = "petrol", _("Petrol")
    PLUM = "plum", _("Plum")
    GREEN = "green", _("Green")
    AMBER = "amber", _("Amber")
    RED = "red", _("Red")
    BLUE = "blue", _("Blue")


class Label(TenantModel):
    """One of the company's own labels. Names are unique, however they are capitalised."""

    name = models.CharField(max_length=40)
    colour = models.CharField(max_length=8, choices=LabelColour, default=LabelColour.GREY)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint("tenant", Lower("name"), name="label_name_unique")]

    def __str__(self) -> str:
        return self.name


class Labelling(TenantModel):
    """That a conversation has a label."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="labellings", db_index=False)
    label = models.ForeignKey(Label, on_delete=models.CASCADE, related_name="labellings")

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["conversation", "label"], name="label_once_per_conversation")]

    def __str__(self) -> str:
        return f"{self.label_id} on {self.conversation_id}"
