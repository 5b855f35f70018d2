"""Forms of the desk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from conversations.models import ASSISTANT_STYLES
from conversations.parameters import RequestParameters
from conversations.validation import clean_body
from helpdesk.errors import GlassdeskError, InvalidInput


class ReplyForm(forms.Form):
    """A person's reply to the customer."""

    body = forms.CharField(
        label=_("Your reply"),
        required=False,
        strip=False,
        # No maxlength: the browser would cut a long paste without a word.
        widget=forms.Textarea(
            attrs={"rows": 2, "dir": "auto", "placeholder": _("Write a reply…"), "data-offers": _("Canned replies")}
        ),
    )

    # The last message that the writer knows; absent when nothing says so.
    seen = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)

    def clean_body(self) -> str:
        try:
            return clean_body(self.cleaned_data["body"])
        except GlassdeskError as error:
            raise forms.ValidationError(str(error.message), code=error.code) from error


class DraftForm(forms.Form):
    """A reply that somebody has begun."""

    body = forms.CharField(required=False, strip=False)
    seen = forms.IntegerField(required=False, min_value=0)


class NoteForm(forms.Form):
    """A private note to the company's own people."""

    note = forms.CharField(
        label=_("Private note"),
        required=False,
        strip=False,
        widget=forms.Textarea(
            attrs={
                "rows": 2,
                "dir": "auto",
                "placeholder": _("Write a note for your team; @ calls somebody…"),
                "data-offers": _("People"),
            }
        ),
    )

    def clean_note(self) -> str:
        try:
            return clean_body(self.cleaned_data["note"])
        except GlassdeskError as error:
            raise forms.ValidationError(str(error.message), code=error.code) from error


class AssistantForm(forms.Form):
    """How the assistant answers. `based_on` is the version that the person began with."""

    name = forms.CharField(
        label=_("Name"),
        max_length=60,
        help_text=_("Shown to customers above every answer."),
        widget=forms.TextInput(attrs={"dir": "auto"}),
    )
    model = forms.ChoiceField(
        label=_("Model"), required=False, help_text=_("Models that workers are serving now. See the Models page.")
    )
    style = forms.ChoiceField(
        label=_("Answers"),
        choices=ASSISTANT_STYLES,
        help_text=_("Automatic quotes articles with a small model and writes freely with a more capable one."),
    )
    instructions = forms.CharField(
        label=_("Instructions"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 5, "dir": "auto"}),
        help_text=_("Added to every prompt: tone of voice, names for things. Put facts in articles."),
    )
    temperature = forms.FloatField(
        label=_("Temperature"),
        min_value=0,
        max_value=2,
        widget=forms.NumberInput(attrs={"step": "0.05"}),
        help_text=_("0 to 2. At 0, the likeliest word is always chosen."),
    )
    top_p = forms.FloatField(
        label=_("Top p"),
        min_value=0.01,
        max_value=1,
        widget=forms.NumberInput(attrs={"step": "0.01"}),
        help_text=_("0.01 to 1. Only the likeliest words whose probabilities add up to this are considered."),
    )
    max_tokens = forms.IntegerField(
        label=_("Maximum answer length (tokens)"), min_value=16, max_value=2048, help_text=_("16 to 2048.")
    )
    seed = forms.IntegerField(
        label=_("Seed"),
        required=False,
        min_value=0,
        max_value=2**31 - 1,
        help_text=_("The same seed gives the same answer. Leave empty for a new one each time."),
    )
    stop = forms.CharField(
        label=_("Stop sequences"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
        help_text=_("One per line. The answer ends just before the first one that appears."),
    )
    based_on = forms.IntegerField(widget=forms.HiddenInput, min_value=1)

    def __init__(self, *args: Any, models: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.ChoiceField, self.fields["model"]).choices = models
        # Checked on the server with a sentence: the browser would cut a long paste without a word.
        self.fields["instructions"].widget.attrs.pop("maxlength", None)

    def clean_stop(self) -> list[str]:
        lines = self.cleaned_data["stop"].splitlines()
        stops = [line for line in lines if line.strip()]
        try:
            RequestParameters(stop=tuple(stops))
        except InvalidInput as error:
            raise forms.ValidationError(str(error.message), code=error.code) from error
        return stops
