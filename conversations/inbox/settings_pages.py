"""The pages on which the inbox is set up, for those who may see them."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from helpdesk.permissions import Right

PAGES: tuple[tuple[str, str | Promise, Right], ...] = (
    ("desk:labels", gettext_lazy("Labels"), Right.SEE_CONVERSATIONS),
    ("desk:canned_replies", gettext_lazy("Canned replies"), Right.REPLY),
    ("desk:macros", gettext_lazy("Macros"), Right.REPLY),
    ("desk:teams", gettext_lazy("Teams"), Right.REPLY),
)


def settings_pages(rights: frozenset[Right]) -> list[tuple[str, str | Promise]]:
    """Names of routes and of pages."""
    return [(name, words) for name, words, right in PAGES if right in rights]
