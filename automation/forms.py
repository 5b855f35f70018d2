"""A rule as its page edits it."""

from __future__ import annotations

import re
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from automation.actions import Actions, Ending
from automation.changing import Draft
from automation.conditions import CLOSED, OPEN, Conditions
from automation.models import Rule, Trigger
from conversations.channels import COUNTED
from conversations.inbox.labels import labels_by_name
from conversations.models import Channel, HandOffReason, Priority
from helpdesk.permissions import Right
from helpdesk.tenants.models import Language
from helpdesk.users.queries import people_with

ANY, NOTHING = ("", _("Any")), ("", _("Don't change"))
MOST_WORDS, LONGEST_WORD = 30, 60
CONDITIONS = ("language", "channel", "priority", "label", "reason", "words", "hours")
ACTIONS = ("do_label", "do_priority", "do_note", "do_assign", "do_hand_off", "do_end")
HOURS = [ANY, (OPEN, _("Inside business hours")), (CLOSED, _("Outside business hours"))]


class RuleForm(forms.Form):
    """When, if, then."""

    name = forms.CharField(label=_("Name"), max_length=60)
    trigger = forms.ChoiceField(label=_("When"), choices=Trigger)
    language = forms.ChoiceField(label=_("Language"), required=False, choices=[ANY, *Language.choices])
    channel = forms.ChoiceField(
        label=_("Channel"), required=False, choices=[ANY, *((each, Channel(each).label) for each in COUNTED)]
    )
    priority = forms.ChoiceField(label=_("Priority"), required=False, choices=[ANY, *Priority.choices])
    label = forms.ChoiceField(label=_("Label"), required=False)
    reason = forms.ChoiceField(label=_("Waits because"), required=False, choices=[ANY, *HandOffReason.choices])
    hours = forms.ChoiceField(label=_("Business hours"), required=False, choices=HOURS)
    words = forms.CharField(
        label=_("Customer's message contains one of"),
        required=False,
        max_length=1000,
        help_text=_("Separate words or phrases with commas."),
    )
    do_label = forms.ChoiceField(label=_("Add label"), required=False)
    do_priority = forms.ChoiceField(label=_("Set priority"), required=False, choices=[NOTHING, *Priority.choices])
    do_note = forms.CharField(
        label=_("Add a private note"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
    )
    do_assign = forms.ChoiceField(label=_("Assign to"), required=False)
    do_hand_off = forms.BooleanField(label=_("Hand off to a person"), required=False)
    do_end = forms.ChoiceField(label=_("Close or set aside"), required=False, choices=[NOTHING, *Ending.choices])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        labels = [(str(label.id), label.name) for label in labels_by_name()]
        people = [(str(person.pk), str(person)) for person in people_with(Right.REPLY)]
        for name, first, choices in (
            ("label", ANY, labels), ("do_label", NOTHING, labels), ("do_assign", NOTHING, people),
        ):  # fmt: skip
            cast(forms.ChoiceField, self.fields[name]).choices = [first, *choices]

    @property
    def condition_fields(self) -> list[forms.BoundField]:
        """What stands under “If”."""
        return [self[name] for name in CONDITIONS]

    @property
    def action_fields(self) -> list[forms.BoundField]:
        """What stands under “Then”."""
        return [self[name] for name in ACTIONS]

    def clean_words(self) -> tuple[str, ...]:
        """One after the other, without those that are empty or there already."""
        raw = self.cleaned_data["words"].replace("\x00", "")
        words = [" ".join(word.split())[:LONGEST_WORD] for word in re.split(r"[,，、;；\n]", raw)]
        return tuple(dict.fromkeys(word for word in words if word))[:MOST_WORDS]

    def conditions(self) -> Conditions:
        """Those of the form."""
        return Conditions(**{name: self.cleaned_data[name] for name in CONDITIONS})

    def draft(self) -> Draft:
        """The whole rule."""
        given = self.cleaned_data
        actions = Actions(
            label=given["do_label"],
            priority=given["do_priority"],
            note=given["do_note"].replace("\x00", "").strip(),
            assign=int(given["do_assign"] or 0),
            hand_off=given["do_hand_off"],
            end=given["do_end"],
        )
        return Draft(given["name"], Trigger(given["trigger"]), self.conditions(), actions)


def initial_of(rule: Rule) -> dict[str, Any]:
    """The form's values of a stored rule."""
    conditions, actions = Conditions.read(rule.conditions), Actions.read(rule.actions)
    values: dict[str, Any] = {name: getattr(conditions, name) for name in CONDITIONS}
    values |= {name: getattr(actions, name.removeprefix("do_")) for name in ACTIONS}
    values |= {"words": ", ".join(conditions.words), "do_assign": str(actions.assign or "")}
    return values | {"name": rule.name, "trigger": rule.trigger}
