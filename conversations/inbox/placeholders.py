"""Placeholders in texts that are used again: `{customer name}`, `{agent name}`, `{company}`, in English or Chinese.

Behind a bar stands what is written when nothing is known: `{customer name|friend}`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.utils.translation import gettext as _

from helpdesk.errors import InvalidInput
from helpdesk.tenants.models import Language

NAMES = {
    "customer name": "customer", "agent name": "agent", "company": "company",
    "客户姓名": "customer", "客服姓名": "agent", "公司": "company",
}  # fmt: skip
# For a customer whose name nobody knows: "Hi there", "您好".
NOBODY = {Language.ENGLISH: "there", Language.CHINESE: ""}
# Braces around anything else, such as a piece of code, are the text's own.
PLACEHOLDER = re.compile(r"\{\s*([\w ]{1,30}?)\s*(?:\|([^{}|\n]{0,60}))?\}")


@dataclass(frozen=True, slots=True)
class Known:
    """What stands in the place of each; empty for what is not known."""

    customer: str
    agent: str
    company: str


def check_placeholders(text: str) -> None:
    """Raises InvalidInput for one that there is not."""
    for found in PLACEHOLDER.finditer(text):
        if found[1].lower() not in NAMES:
            raise InvalidInput(
                _("There is no placeholder %(name)s. Use {customer name}, {agent name} or {company}.")
                % {"name": found[0]}
            )


def filled(text: str, known: Known, language: str) -> str:
    """The text as it is sent to a customer of that language."""

    def value(found: re.Match[str]) -> str:
        name = NAMES.get(found[1].lower())
        if name is None:
            return found[0]
        said: str = getattr(known, name)
        if said or name != "customer":
            return said
        return found[2] if found[2] is not None else NOBODY[Language(language)]

    return PLACEHOLDER.sub(value, text)
