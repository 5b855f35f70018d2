"""Which messages are accepted."""

from __future__ import annotations

import unicodedata

from django.utils.translation import gettext as _

from helpdesk.errors import InvalidInput, MessageTooLong

MESSAGE_CHARACTERS = 4000
_ALLOWED_CONTROLS = frozenset("\n\t")


def clean_body(raw: object) -> str:
    """The trimmed text of a message. Raises InvalidInput or MessageTooLong with a sentence that says what to do."""
    if not isinstance(raw, str):
        raise InvalidInput(_("A message must be text."))
    if len(raw) > MESSAGE_CHARACTERS * 4:
        raise MessageTooLong(limit=MESSAGE_CHARACTERS, length=len(raw))
    body = raw.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not body:
        raise InvalidInput(_("The message is empty. Write something and send it again."))
    if len(body) > MESSAGE_CHARACTERS:
        raise MessageTooLong(limit=MESSAGE_CHARACTERS, length=len(body))
    if any(unicodedata.category(char) in {"Cc", "Cs"} and char not in _ALLOWED_CONTROLS for char in body):
        raise InvalidInput(_("The message contains control characters. Remove them and send it again."))
    return body
