"""Forms of the desk."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from conversations.validation import clean_body
from helpdesk.errors import GlassdeskError


class ReplyForm(forms.Form):
    """A person's reply to the customer."""

    body = forms.CharField(
        label=_("Your reply"),
        required=False,
        strip=False,
        # No maxlength: the browser would cut a long paste without a word.
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": _("Write to the customer…")}),
    )

    def clean_body(self) -> str:
        try:
            return clean_body(self.cleaned_data["body"])
        except GlassdeskError as error:
            raise forms.ValidationError(str(error.message), code=error.code) from error
