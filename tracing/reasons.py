"""Reasons that people state before they may read or hold something."""

from __future__ import annotations

import unicodedata

from django.utils.translation import gettext_lazy as _

from helpdesk.errors import InvalidInput

MIN_REASON = 5
MAX_REASON = 300
# Hangul fillers and the empty Braille pattern: letters and symbols by category, but nothing to see.
BLANK_LETTERS = "\u115f\u1160\u3164\uffa0\u2800"


class ReasonMissing(InvalidInput):
    """Content is shown only to somebody who says what for."""

    code = "reason_missing"
    message = _("Say briefly why you need to see this (at least 5 characters).")


class ReasonNotKept(InvalidInput):
    """What cannot be kept as it was stated is not kept cut or mended."""

    message = _("A reason can have up to 300 characters and no NUL. Shorten it.")

    def __init__(self) -> None:
        super().__init__(parameter="reason")


def clean_reason(reason: str) -> str:
    """The reason on one line, without invisible characters: the one rule of desk, API and shell.

    Raises ReasonMissing when too little is left, and ReasonNotKept for one that is too long.
    """
    shown = "".join(" " if character.isspace() else character for character in reason if _is_shown(character))
    shown = " ".join(shown.split())
    if len(shown) > MAX_REASON or "\x00" in reason:
        raise ReasonNotKept
    if sum(_weight(character) for character in shown.replace(" ", "")) < MIN_REASON:
        raise ReasonMissing
    return shown


def _weight(character: str) -> int:
    """A Chinese character says about as much as two letters."""
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _is_shown(character: str) -> bool:
    """White space and everything with ink; neither control, format, surrogate, unassigned nor blank characters."""
    return character.isspace() or not (unicodedata.category(character).startswith("C") or character in BLANK_LETTERS)
