"""What a rule does, as its row keeps it. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _


class Ending(models.TextChoices):
    """What becomes of the conversation in the end."""

    PENDING = "pending", _("Set to pending")
    SNOOZE_HOUR = "snooze_1", _("Snooze for an hour")
    SNOOZE_DAY = "snooze_24", _("Snooze for a day")
    SNOOZE_WEEK = "snooze_168", _("Snooze for a week")
    CLOSE = "close", _("Close")


@dataclass(frozen=True, slots=True)
class Actions:
    """The fields of a rule, done in this order; an empty one does nothing."""

    label: str = ""
    priority: str = ""
    note: str = ""
    assign: int = 0
    hand_off: bool = False
    end: str = ""

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Actions:
        """From a rule's row."""
        return cls(**{name: value for name, value in stored.items() if name in cls.__dataclass_fields__})

    def stored(self) -> dict[str, Any]:
        """For a rule's row, without what does nothing."""
        return {name: value for name, value in asdict(self).items() if value}
