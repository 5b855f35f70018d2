"""The one spelling of an e-mail address. It is somebody's identity here: two spellings must never be two people, nor one."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from helpdesk.errors import InvalidInput


def canonical(text: str) -> str:
    """Small letters of ASCII, as it is stored and compared. Raises InvalidInput.

    Other letters are refused: several of them become ASCII letters when they are made small, and many look like one. A name
    of a host in another script has a spelling in ASCII (xn--…, RFC 5890).
    """
    email = text.strip()
    if not email.isascii():
        beyond = _("%(email)s has letters beyond a to z: write the host's name in its xn-- form.")
        raise InvalidInput(beyond % {"email": email})
    email = email.lower()
    try:
        validate_email(email)
    except ValidationError:
        raise InvalidInput(_("%(email)s is no e-mail address.") % {"email": email}) from None
    return email


def canonical_or_empty(text: str) -> str:
    """The same, and empty for what nobody can have."""
    try:
        return canonical(text)
    except InvalidInput:
        return ""
