"""What a report is narrowed down to, and where the company's days begin."""

from __future__ import annotations

from datetime import date
from typing import Any, cast
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext_lazy as _

from conversations.channels import COUNTED
from conversations.inbox.labels import labels_by_name
from conversations.models import Channel
from helpdesk.tenants.models import Language
from reports.counting import Selection
from reports.days import ONE_DAY
from reports.reading import LONGEST_DAYS, Wanted

PERIODS = (7, 30, 90, 365)
USUAL_PERIOD = 30
DAY = {"type": "date"}
ALL = ("", _("all"))


class ReportForm(forms.Form):
    """Which days and which conversations. An unusable value restricts nothing."""

    since = forms.DateField(label=_("From"), required=False, widget=forms.DateInput(attrs=DAY, format="%Y-%m-%d"))
    until = forms.DateField(label=_("To"), required=False, widget=forms.DateInput(attrs=DAY, format="%Y-%m-%d"))
    channel = forms.ChoiceField(
        label=_("Channel"), required=False, choices=[ALL, *((each, Channel(each).label) for each in COUNTED)]
    )
    language = forms.ChoiceField(label=_("Language"), required=False, choices=[ALL, *Language.choices])
    label = forms.ChoiceField(label=_("Label"), required=False)

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        labels = [(str(label.id), label.name) for label in labels_by_name()]
        cast(forms.ChoiceField, self.fields["label"]).choices = [ALL, *labels]

    def wanted(self) -> Wanted:
        """The period and the selection of what was understood; without days, the usual period up to today."""
        self.is_valid()
        given = {name: value for name, value in self.cleaned_data.items() if value}
        until = min(given.get("until", self.today), self.today)
        since = min(given.get("since", until - ONE_DAY * (USUAL_PERIOD - 1)), until)
        since = max(since, until - ONE_DAY * (LONGEST_DAYS - 1))
        label = given.get("label")
        selection = Selection(given.get("channel", ""), given.get("language", ""), UUID(label) if label else None)
        return Wanted(since, until, selection)


def query_of(wanted: Wanted) -> str:
    """The address's part behind the question mark."""
    of = wanted.selection
    given = {
        "since": wanted.since.isoformat(), "until": wanted.until.isoformat(), "channel": of.channel,
        "language": of.language, "label": str(of.label or ""),
    }  # fmt: skip
    return urlencode({name: value for name, value in given.items() if value})


class TimeZoneForm(forms.Form):
    """Whose midnight ends a day."""

    time_zone = forms.ChoiceField(label=_("Days begin at midnight in"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = sorted(
            name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/"))
        )
        cast(forms.ChoiceField, self.fields["time_zone"]).choices = [(name, name) for name in ["UTC", *names]]
