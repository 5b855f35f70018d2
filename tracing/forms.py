"""What people enter on the trace pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from conversations.models import AnswerKind, CacheKind, Outcome, Rating, ReplyPurpose
from helpdesk.tenants.models import Language
from tracing.models import AnalysisKind, ConfidenceBand
from tracing.queries import ANY_PURPOSE, NO_FEEDBACK, TraceFilter
from tracing.reasons import MAX_REASON, ReasonMissing, ReasonNotKept, clean_reason
from tracing.serving import replay_parameters

MAX_WITHOUT = 20
ANY = ("", _("all"))


# How long it may be is counted as everywhere, when it is on one line: the field's own limit would count otherwise.
REASON_FIELD = {"autocomplete": "off", "dir": "auto", "maxlength": str(MAX_REASON)}


class ReasonForm(forms.Form):
    """Why somebody opens a trace's content."""

    reason = forms.CharField(
        label=_("Why do you need to see this?"),
        help_text=_("Your name, your reason and the time are recorded and can't be changed."),
        required=False,
        widget=forms.TextInput(attrs=REASON_FIELD),
    )

    def clean_reason(self) -> str:
        try:
            return clean_reason(self.cleaned_data["reason"])
        except (ReasonMissing, ReasonNotKept) as error:
            # The form comes back within a page or drawer: there the focus shows where it failed.
            self.fields["reason"].widget.attrs["autofocus"] = True
            raise forms.ValidationError(str(error.message)) from None


class AnalysisForm(ReasonForm):
    """What is to be found out about an opened answer. Chunks are checked against the record by the worker."""

    kind = forms.ChoiceField(choices=AnalysisKind.choices)
    without = forms.CharField(required=False)
    is_free = forms.BooleanField(required=False)
    model = forms.ChoiceField(required=False)

    def __init__(self, *args: Any, models: Sequence[str] = (), **options: Any) -> None:
        super().__init__(*args, **options)
        cast(forms.ChoiceField, self.fields["model"]).choices = [("", ""), *((name, name) for name in models)]

    def clean_without(self) -> list[str]:
        given = cast(QueryDict, self.data).getlist("without")
        if len(given) > MAX_WITHOUT:
            raise forms.ValidationError(_("There is no such passage."))
        try:
            return sorted({str(UUID(chunk)) for chunk in given if chunk})
        except ValueError:
            raise forms.ValidationError(_("There is no such passage.")) from None

    def parameters(self) -> dict[str, Any]:
        """The job's parameters: ids and numbers."""
        if self.cleaned_data["kind"] != AnalysisKind.REPLAY:
            return {}
        return replay_parameters(**{name: self.cleaned_data[name] for name in ("without", "is_free", "model")})


class FilterForm(forms.Form):
    """What the list of traces shows: the customers' answers unless another purpose is chosen."""

    purpose = forms.ChoiceField(
        label=_("Purpose"), choices=[*ReplyPurpose.choices, (ANY_PURPOSE, _("all"))], required=False
    )
    outcome = forms.ChoiceField(label=_("Outcome"), choices=[ANY, *Outcome.choices], required=False)
    kind = forms.ChoiceField(label=_("Kind"), choices=[ANY, *AnswerKind.choices], required=False)
    band = forms.ChoiceField(label=_("Confidence"), choices=[ANY, *ConfidenceBand.choices], required=False)
    language = forms.ChoiceField(label=_("Language"), choices=[ANY, *Language.choices], required=False)
    feedback = forms.ChoiceField(
        label=_("Feedback"), choices=[ANY, *Rating.choices, (NO_FEEDBACK, _("No feedback"))], required=False
    )
    cache = forms.ChoiceField(label=_("Reused answer"), choices=[ANY, *CacheKind.choices], required=False)
    model = forms.ChoiceField(label=_("Model"), required=False)
    since = forms.DateField(label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label=_("To"), required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args: Any, models: Sequence[str] = (), **options: Any) -> None:
        super().__init__(*args, **options)
        cast(forms.ChoiceField, self.fields["model"]).choices = [ANY, *((name, name) for name in models)]

    def wanted(self) -> TraceFilter:
        """The filter; a field that makes no sense does not restrict."""
        return TraceFilter(**{name: value for name, value in self.cleaned_data.items() if value})


class ExportForm(ReasonForm):
    """Why somebody takes contents out of the desk."""

    reason = forms.CharField(
        label=_("Why do you need to export this?"),
        help_text=_("Your name, your reason and the time are recorded for each answer and can't be changed."),
        required=False,
        widget=forms.TextInput(attrs=REASON_FIELD),
    )


class ExportOneForm(ReasonForm):
    """One opened record as a file; the reason stated on opening goes along."""

    format = forms.ChoiceField(choices=[("json", "JSON"), ("html", "HTML")])
