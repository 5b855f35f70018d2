"""Forms of the knowledge pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from helpdesk.tenants.models import Language
from knowledge.desk import PairState
from knowledge.domain import MAX_BODY_CHARACTERS, MAX_TITLE_CHARACTERS
from knowledge.models import ArticleStatus


class FilterForm(forms.Form):
    """Search and filters above the list."""

    q = forms.CharField(
        label=_("Search by title"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search", "dir": "auto", "placeholder": _("Search by title")}),
    )
    language = forms.ChoiceField(
        label=_("Language"), required=False, choices=[("", _("All languages")), *Language.choices]
    )
    status = forms.ChoiceField(
        label=_("Status"), required=False, choices=[("", _("All statuses")), *ArticleStatus.choices]
    )
    category = forms.UUIDField(label=_("Category"), required=False)
    pair = forms.ChoiceField(
        label=_("Translations"), required=False, choices=[("", _("All translations")), *PairState.choices]
    )


class ArticleForm(forms.Form):
    """Title, language, category and text of an article. `based_on` is the version that the author began with."""

    title = forms.CharField(
        label=_("Title"), max_length=MAX_TITLE_CHARACTERS, widget=forms.TextInput(attrs={"dir": "auto"})
    )
    language = forms.ChoiceField(label=_("Language"), choices=Language.choices)
    category = forms.CharField(
        label=_("Category"),
        required=False,
        max_length=120,
        widget=forms.TextInput(attrs={"list": "categories", "dir": "auto", "autocomplete": "off"}),
        help_text=_("Choose a category or type a new one."),
    )
    body = forms.CharField(
        label=_("Text (Markdown)"),
        strip=False,
        max_length=MAX_BODY_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 20, "class": "markdown", "dir": "auto", "spellcheck": "true"}),
        error_messages={
            "max_length": _(
                "The text has %(show_value)d characters; the limit is %(limit_value)d. Split it into several articles."
            ),
            "required": _("Add some text."),
        },
    )
    based_on = forms.IntegerField(widget=forms.HiddenInput, min_value=0, initial=0)

    def __init__(self, *args: Any, is_new: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not is_new:
            self.fields["language"].disabled = True
            self.fields["language"].help_text = _(
                "You can't change an article's language. To translate it, create a new article."
            )
        # The limit is checked on the server with a sentence; a cut-off paste would be silent.
        self.fields["body"].widget.attrs.pop("maxlength", None)
