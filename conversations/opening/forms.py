"""The form of the page “Business hours”."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.forms.boundfield import BoundField
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _

from conversations.models import OpeningHours
from conversations.opening.changing import DAYS, NewHours
from conversations.opening.hours import Span
from conversations.opening.spelling import read_spans, read_special_days, write_spans, write_special_days
from helpdesk.errors import InvalidInput

USUAL_DAY = "09:00-18:00"
WORKDAYS = 5


class OpeningHoursForm(forms.Form):
    """A text for each day of the week; `based_on` is the version that the person began with, 0 without one."""

    is_on = forms.BooleanField(
        label=_("Tell customers when people are there"),
        required=False,
        help_text=_(
            "Outside these hours the chat says when you are back and asks for an e-mail address. The AI always answers."
        ),
    )
    time_zone = forms.ChoiceField(label=_("Time zone"), help_text=_("Daylight saving time is followed."))
    special = forms.CharField(
        label=_("Holidays and special days"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "placeholder": "2026-12-25\n2026-12-31 09:00-12:00"}),
        help_text=_("One day per line. A date alone is a day off; with times, they replace that day's usual hours."),
    )
    based_on = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zones = sorted(available_timezones())
        self.fields["time_zone"] = forms.ChoiceField(
            label=self.fields["time_zone"].label,
            help_text=self.fields["time_zone"].help_text,
            choices=[(zone, zone.replace("_", " ")) for zone in zones],
        )
        for number in range(DAYS):
            self.fields[f"day_{number}"] = forms.CharField(
                label=WEEKDAYS[number],
                required=False,
                max_length=120,
                widget=forms.TextInput(attrs={"inputmode": "text"}),
            )

    @staticmethod
    def of(row: OpeningHours | None) -> OpeningHoursForm:
        """What is stored, or what many begin with."""
        if row is None:
            week = {f"day_{number}": USUAL_DAY if number < WORKDAYS else "" for number in range(DAYS)}
            return OpeningHoursForm(initial=week | {"time_zone": "UTC", "based_on": 0})
        week = {f"day_{number}": write_spans(row.week[number]) for number in range(DAYS)}
        rest = {"is_on": row.is_on, "time_zone": row.time_zone, "special": write_special_days(row.special)}
        return OpeningHoursForm(initial=week | rest | {"based_on": row.version})

    def days(self) -> list[BoundField]:
        """The fields of the week."""
        return [self[f"day_{number}"] for number in range(DAYS)]

    def clean(self) -> dict[str, Any]:
        """The texts as spans; each error stands at its own field."""
        data = dict(super().clean() or {})
        week: list[list[Span]] = []
        for number in range(DAYS):
            name = f"day_{number}"
            try:
                week.append(read_spans(data.get(name, "")))
            except InvalidInput as error:
                self.add_error(name, str(error.message))
        try:
            data["special_days"] = read_special_days(data.get("special", ""))
        except InvalidInput as error:
            self.add_error("special", str(error.message))
        if not self.errors:
            try:
                data["hours"] = NewHours(data["is_on"], data["time_zone"], week, data["special_days"])
            except InvalidInput as error:
                self.add_error(str(error.details.get("parameter", "is_on")), str(error.message))
        return data
