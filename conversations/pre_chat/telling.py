"""What customers tell before they chat. Nobody has proven any of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.models import Asks, PreChat, Visitor
from conversations.validation import CONTROLS, clean_text
from helpdesk.errors import InvalidInput, NotFound
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.email_addresses import canonical

FIELDS = ("name", "email", "own")
CHARACTERS = 120


def asked_of(visitor_id: UUID, language: str) -> dict[str, Any] | None:
    """The form that this visitor has to see; None where there is none, they filled it in, or their company has signed them in."""
    form: PreChat | None = PreChat.objects.filter(is_on=True).first()
    if form is None or not Visitor.objects.filter(id=visitor_id, subject="", told={}).exists():
        return None
    asks = {name: getattr(form, name) for name in FIELDS}
    return asks | {"own_label": _in(form.own_label, language), "consent": _in(form.consent, language)}


def tell(*, tenant_id: UUID, visitor_id: UUID, given: Mapping[str, Any], language: str) -> None:
    """Keep what the visitor told; an e-mail address is where answers go. Raises InvalidInput with the field as `parameter`, and
    NotFound where nothing is asked of them.
    """
    with tenant_atomic(tenant_id):
        visitor: Visitor | None = Visitor.objects.select_for_update(no_key=True).filter(id=visitor_id).first()
        form = PreChat.objects.filter(is_on=True).first()
        if visitor is None or form is None or visitor.subject or visitor.told:
            raise NotFound
        told = {name: _value(form, name, given.get(name, "")) for name in FIELDS if getattr(form, name) != Asks.NO}
        if _in(form.consent, language):
            if given.get("consent") is not True:
                raise InvalidInput(_("Agree to go on."), parameter="consent")
            told["consent"] = _in(form.consent, language)
        if told.get("own"):
            told["own_label"] = _in(form.own_label, language)
        visitor.told = {name: value for name, value in told.items() if value} | {"at": timezone.now().isoformat()}
        visitor.answer_email = told.get("email") or visitor.answer_email
        visitor.save(update_fields=["told", "answer_email"])


def _value(form: PreChat, name: str, raw: object) -> str:
    text = clean_text("" if raw is None else raw)
    if not text and getattr(form, name) == Asks.REQUIRED:
        raise InvalidInput(_("Fill in this field."), parameter=name)
    if len(text) > CHARACTERS or "\n" in text or CONTROLS.search(text):
        raise InvalidInput(_("At most %(limit)d characters fit here.") % {"limit": CHARACTERS}, parameter=name)
    if name != "email" or not text:
        return text
    try:
        return canonical(text)
    except InvalidInput as error:
        words = _("Enter a valid e-mail address, such as name@example.com.")
        raise InvalidInput(words, parameter=name) from error


def _in(texts: Mapping[str, str], language: str) -> str:
    """In that language, or in the one that there is."""
    return texts.get(language) or next(iter(texts.values()), "")
