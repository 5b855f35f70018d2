"""Which texts are accepted from people."""

from __future__ import annotations

import re
import unicodedata

from django.utils.translation import gettext as _

from helpdesk.errors import InvalidInput, MessageTooLong

MESSAGE_CHARACTERS = 4000
REFERENCE_CHARACTERS = 128
COMMENT_CHARACTERS = 500
CONTEXT_ENTRIES = 20
CONTEXT_NAME = 40
CONTEXT_VALUE = 300
# Controls, formats, lone surrogates and combining marks show nothing by themselves.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Mn"})
# Every control (Cc) but line end and tabulator, and every lone surrogate (Cs).
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
# Hangul fillers and the empty Braille pattern: letters and symbols by category, but nothing to see.
_BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u2800")


def clean_body(raw: object) -> str:
    """The trimmed text of a message. Raises InvalidInput or MessageTooLong with a sentence that says what to do."""
    if isinstance(raw, str) and len(raw) > MESSAGE_CHARACTERS * 4:
        raise MessageTooLong(limit=MESSAGE_CHARACTERS, length=len(raw))
    body = clean_text(raw)
    if not is_visible(body):
        raise InvalidInput(_("The message is empty. Write something and send it again."))
    if len(body) > MESSAGE_CHARACTERS:
        raise MessageTooLong(limit=MESSAGE_CHARACTERS, length=len(body))
    return body


def clean_text(raw: object) -> str:
    """The trimmed text with plain line ends. Raises InvalidInput for anything but text, and for control characters."""
    if not isinstance(raw, str):
        raise InvalidInput(_("A message must be text."))
    text = raw.replace("\r\n", "\n").replace("\r", "\n").strip()
    if CONTROLS.search(text):
        raise InvalidInput(_("The message contains control characters. Remove them and send it again."))
    return text


def clean_comment(raw: object) -> str:
    """What somebody adds to a rating, trimmed; empty where nothing of it is seen. Raises InvalidInput."""
    if raw in ("", None):
        return ""
    text = clean_text(raw)
    if not is_visible(text):
        return ""
    if len(text) > COMMENT_CHARACTERS:
        raise InvalidInput(
            _("Comments can have up to %(limit)d characters. Shorten yours and send it again.")
            % {"limit": COMMENT_CHARACTERS}
        )
    return text


def is_visible(text: str) -> bool:
    """Whether anything of it is seen; zero-width characters, for example, are not."""
    return any(
        not (char.isspace() or char in _BLANK_LETTERS or unicodedata.category(char) in _INVISIBLE) for char in text
    )


def clean_context(raw: object) -> dict[str, str]:
    """Short texts by name, as the page around the chat gives them. Raises InvalidInput."""
    if not isinstance(raw, dict) or len(raw) > CONTEXT_ENTRIES:
        raise InvalidInput(_("A context is an object with at most %(limit)d entries.") % {"limit": CONTEXT_ENTRIES})
    context = {}
    for name, value in raw.items():
        if not isinstance(name, str) or isinstance(value, dict | list) or value is None:
            raise InvalidInput(_("A context holds texts, numbers, true and false."))
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if not 0 < len(name) <= CONTEXT_NAME or len(text) > CONTEXT_VALUE or CONTROLS.search(name + text):
            raise InvalidInput(
                _("A context's names have at most %(name)d characters and its values %(value)d, without controls.")
                % {"name": CONTEXT_NAME, "value": CONTEXT_VALUE}
            )
        context[name] = text
    return context


def clean_reference(reference: str) -> str:
    """What an API client calls its customer. Raises InvalidInput."""
    if len(reference) > REFERENCE_CHARACTERS or not reference.isprintable():
        raise InvalidInput(
            _("“customer” can have up to %(limit)d printable characters.") % {"limit": REFERENCE_CHARACTERS},
            parameter="customer",
        )
    return reference
