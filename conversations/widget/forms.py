"""The form of the page “Widget”."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django import forms
from django.utils.translation import gettext_lazy as _

from conversations.models import Assistant
from conversations.widget import accents
from conversations.widget.settings import (
    WELCOME_CHARACTERS,
    WidgetSettings,
    clean_accent,
    clean_sites,
    clean_suggestions,
    clean_text,
)
from helpdesk.errors import InvalidInput
from helpdesk.tenants.models import Language, Tenant

Cleaned = TypeVar("Cleaned")


def _lines(rows: int, placeholder: str = "", lang: str = "") -> forms.Textarea:
    attributes = {"rows": rows, "dir": "auto", "placeholder": placeholder} | ({"lang": lang} if lang else {})
    return forms.Textarea(attrs=attributes)


class WidgetForm(forms.Form):
    """Texts in both languages; an empty one leaves the usual words. `based_on` is the version that the person began with."""

    sites = forms.CharField(
        label=_("Allowed sites"),
        required=False,
        widget=_lines(4, "https://shop.example"),
        help_text=_("One per line, like https://shop.example. On any other site the chat says that it isn’t set up."),
    )
    accent = forms.CharField(
        label=_("Color"),
        widget=forms.TextInput(attrs={"type": "color"}),
        help_text=_("For the button and the chat. It needs enough contrast to be seen on a white page."),
    )
    welcome_en = forms.CharField(
        label=_("Welcome text in English"),
        required=False,
        widget=_lines(3, lang="en"),
        help_text=_("Shown under the greeting. Leave empty for the standard text."),
    )
    welcome_zh = forms.CharField(
        label=_("Welcome text in Chinese"),
        required=False,
        widget=_lines(3, lang="zh-Hans"),
        help_text=_("Shown under the greeting. Leave empty for the standard text."),
    )
    suggestions_en = forms.CharField(
        label=_("Suggestions in English"),
        required=False,
        widget=_lines(4, lang="en"),
        help_text=_("Up to six questions that customers can tap, one per line."),
    )
    suggestions_zh = forms.CharField(
        label=_("Suggestions in Chinese"),
        required=False,
        widget=_lines(4, lang="zh-Hans"),
        help_text=_("Up to six questions that customers can tap, one per line."),
    )
    based_on = forms.IntegerField(widget=forms.HiddenInput, min_value=1)

    @staticmethod
    def of(tenant: Tenant, assistant: Assistant) -> WidgetForm:
        """What is stored now."""
        initial: dict[str, Any] = {
            "sites": "\n".join(tenant.allowed_origins),
            "accent": tenant.accent or accents.DEFAULT,
            "based_on": tenant.widget_version,
        }
        for language in Language.values:
            initial[f"welcome_{language}"] = tenant.welcome.get(language, "")
            initial[f"suggestions_{language}"] = "\n".join(assistant.suggestions.get(language, []))
        return WidgetForm(initial=initial)

    def clean_sites(self) -> tuple[str, ...]:
        return self._cleaned(lambda: clean_sites(self.cleaned_data["sites"].splitlines()))

    def clean_accent(self) -> str:
        return self._cleaned(lambda: clean_accent(self.cleaned_data["accent"]))

    def clean_welcome_en(self) -> str:
        return self._cleaned(lambda: clean_text(self.cleaned_data["welcome_en"], most=WELCOME_CHARACTERS))

    def clean_welcome_zh(self) -> str:
        return self._cleaned(lambda: clean_text(self.cleaned_data["welcome_zh"], most=WELCOME_CHARACTERS))

    def clean_suggestions_en(self) -> list[str]:
        return self._cleaned(lambda: clean_suggestions(self.cleaned_data["suggestions_en"].splitlines()))

    def clean_suggestions_zh(self) -> list[str]:
        return self._cleaned(lambda: clean_suggestions(self.cleaned_data["suggestions_zh"].splitlines()))

    def settings(self) -> WidgetSettings:
        """What is to be stored, of a valid form."""
        data = self.cleaned_data
        texts = {language: data[f"welcome_{language}"] for language in Language.values}
        suggestions = {language: data[f"suggestions_{language}"] for language in Language.values}
        return WidgetSettings(
            sites=data["sites"],
            accent="" if data["accent"] == accents.DEFAULT else data["accent"],
            welcome={language: text for language, text in texts.items() if text},
            suggestions={language: lines for language, lines in suggestions.items() if lines},
        )

    def _cleaned(self, clean: Callable[[], Cleaned]) -> Cleaned:
        try:
            return clean()
        except InvalidInput as error:
            raise forms.ValidationError(str(error.message), code=error.code) from error
