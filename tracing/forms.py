"""What people enter on the trace pages."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from conversations.models import Outcome
from helpdesk.tenants.models import Language
from tracing.models import ConfidenceBand
from tracing.reasons import MAX_REASON, ReasonMissing, clean_reason

ANY = ("", _("all"))


class ReasonForm(forms.Form):
    """Why somebody opens a trace's content."""

    reason = forms.CharField(
        label=_("Why do you need to read this?"),
        help_text=_("Your name, this reason and the time are kept and cannot be changed."),
        max_length=MAX_REASON,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def clean_reason(self) -> str:
        try:
            return clean_reason(self.cleaned_data["reason"])
        except ReasonMissing as error:
            raise forms.ValidationError(str(error.message)) from None


class FilterForm(forms.Form):
    """What the list of traces shows."""

    outcome = forms.ChoiceField(label=_("Outcome"), choices=[ANY, *Outcome.choices], required=False)
    band = forms.ChoiceField(label=_("Confidence"), choices=[ANY, *ConfidenceBand.choices], required=False)
    language = forms.ChoiceField(label=_("Language"), choices=[ANY, *Language.choices], required=False)
