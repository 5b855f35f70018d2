"""The form of the page “Before the chat”."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from conversations.models import Asks, PreChat
from conversations.pre_chat.changing import NewPreChat
from helpdesk.errors import InvalidInput
from helpdesk.tenants.models import Language

LABEL_CHARACTERS = 60
CONSENT_CHARACTERS = 300
HTML_LANGUAGES = {Language.ENGLISH: "en", Language.CHINESE: "zh-Hans"}


class PreChatForm(forms.Form):
    """`based_on` is the version that the person began with, 0 without one."""

    is_on = forms.BooleanField(
        label=_("Ask before the chat"),
        required=False,
        help_text=_(
            "Shown once to each new customer whom your site doesn’t sign in. “Talk to a person” works without it."
        ),
    )
    name = forms.ChoiceField(label=_("Name"), choices=Asks.choices)
    email = forms.ChoiceField(label=_("Email"), choices=Asks.choices, help_text=_("Answers go there, too."))
    own = forms.ChoiceField(label=_("Your own field"), choices=Asks.choices)
    own_label_en = forms.CharField(label=_("Its name in English"), required=False, max_length=LABEL_CHARACTERS)
    own_label_zh = forms.CharField(label=_("Its name in Chinese"), required=False, max_length=LABEL_CHARACTERS)
    consent_en = forms.CharField(
        label=_("Consent in English"),
        required=False,
        max_length=CONSENT_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    consent_zh = forms.CharField(
        label=_("Consent in Chinese"),
        required=False,
        max_length=CONSENT_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("With a text, customers have to tick a box beside it."),
    )
    based_on = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    @staticmethod
    def of(row: PreChat | None) -> PreChatForm:
        """What is stored, or what many begin with."""
        row = row or PreChat(version=0)
        initial: dict[str, Any] = {name: getattr(row, name) for name in ("is_on", "name", "email", "own")}
        for language in Language.values:
            initial[f"own_label_{language}"] = row.own_label.get(language, "")
            initial[f"consent_{language}"] = row.consent.get(language, "")
        return PreChatForm(initial=initial | {"based_on": row.version})

    def clean(self) -> dict[str, Any]:
        """Its values as one."""
        data = dict(super().clean() or {})
        if self.errors:
            return data
        try:
            data["new"] = NewPreChat(
                is_on=data["is_on"],
                name=data["name"],
                email=data["email"],
                own=data["own"],
                own_label=self._by_language("own_label", data),
                consent=self._by_language("consent", data),
            )
        except InvalidInput as error:
            self.add_error(str(error.details.get("parameter", "is_on")), str(error.message))
        return data

    def _by_language(self, name: str, data: dict[str, Any]) -> dict[str, str]:
        texts = {language: data[f"{name}_{language}"] for language in Language.values}
        return {language: text for language, text in texts.items() if text}
