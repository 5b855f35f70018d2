"""The form under an answer, and the rules by which answers are chosen."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from conversations.inbox.labels import labels_by_name
from helpdesk.tenants.models import Language
from reviews.domain import Judgement
from reviews.models import Cause, Round, SampledFor, Verdict


class VerdictForm(forms.Form):
    """What the page sends; what it may be is decided in the domain. The template draws it."""

    verdict = forms.CharField(required=False, max_length=20)
    cause = forms.CharField(required=False, max_length=40)
    correction = forms.CharField(required=False, max_length=40_000, strip=False)
    note = forms.CharField(required=False, max_length=40_000, strip=False)
    round = forms.TypedChoiceField(choices=Round.choices, coerce=int)

    def judgement(self) -> Judgement:
        """The fields of a valid form."""
        given = self.cleaned_data
        return Judgement(
            verdict=given["verdict"], cause=given["cause"], correction=given["correction"], note=given["note"]
        )


class _Filter(forms.Form):
    """Choices in an address, which people edit: what cannot be chosen does not restrict."""

    def chosen(self) -> dict[str, str]:
        """Each field with what it restricts to, or nothing."""
        self.is_valid()
        return {name: self.cleaned_data.get(name, "") for name in self.fields}


class FindingFilterForm(_Filter):
    """Which settled answers are listed."""

    verdict = forms.ChoiceField(label=_("Verdict"), required=False, choices=[("", _("All")), *Verdict.choices])
    cause = forms.ChoiceField(label=_("Wrong because"), required=False, choices=[("", _("All")), *Cause.choices])


class FigureFilterForm(_Filter):
    """Which answers the overview counts."""

    sampled_for = forms.ChoiceField(label=_("Queue"), required=False, choices=[("", _("All")), *SampledFor.choices])
    language = forms.ChoiceField(label=_("Language"), required=False, choices=[("", _("All")), *Language.choices])


class RulesForm(forms.Form):
    """Which answers are chosen, each rule a field."""

    is_on = forms.BooleanField(label=_("Choose answers for review"), required=False)
    on_thumbs_down = forms.BooleanField(label=_("Customers said it didn't help"), required=False)
    on_hand_off = forms.BooleanField(label=_("A person had to take over"), required=False)
    on_low_confidence = forms.BooleanField(label=_("The AI had low confidence"), required=False)
    label = forms.TypedChoiceField(
        label=_("The conversation got this label"), required=False, coerce=str, empty_value=None
    )
    random_percent = forms.IntegerField(
        label=_("Percentage of all other answers"),
        min_value=0,
        max_value=100,
        help_text=_("0 to 100, picked at random. Without some, you only see what already looked wrong."),
    )
    second_percent = forms.IntegerField(
        label=_("Percentage that a second person reviews"),
        min_value=0,
        max_value=100,
        help_text=_("0 to 100. The second person doesn't see the first verdict. If they disagree, a third decides."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._labels = {str(label.id): label for label in labels_by_name()}
        choices = [("", _("No label")), *((key, label.name) for key, label in self._labels.items())]
        self.fields["label"].choices = choices  # type: ignore[attr-defined]

    def values(self) -> dict[str, Any]:
        """The rules as the domain keeps them."""
        chosen = self._labels.get(self.cleaned_data["label"] or "")
        values = {name: value for name, value in self.cleaned_data.items() if name != "label"}
        return values | {"label_id": chosen.id if chosen else None}
