"""Links in mails to a customer, by which the chat goes on in any browser. Signed, for a week, for one visitor.

They stand behind the `#` of an address, which browsers do not send: no server and no log sees them. Whoever reads the mail can
use one, so that it ends when the customer changes the address that mails go to, and nobody gets one whom the company signs in.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.utils.crypto import constant_time_compare, salted_hmac

from conversations.errors import LinkExpired
from conversations.identity.visitors import VisitorIdentity
from conversations.models import Visitor
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic

LASTS = timedelta(days=7)
LINK_CHARACTERS = 600
_SALT = "glassdesk.resume"
_signer = signing.TimestampSigner(salt=_SALT, sep="~")


def link_for(tenant: Tenant, visitor: Visitor) -> str:
    """The address of the chat for this visitor; empty for one whom only the company can sign in, or who gets no mail."""
    if visitor.subject or not visitor.answer_email:
        return ""
    data = {"t": str(tenant.id), "v": str(visitor.id), "e": _of_address(visitor)}
    return f"{settings.ADDRESS}/widget/{tenant.slug}/frame#resume={_signer.sign_object(data)}"


def resume_visit(tenant_id: UUID, token: object) -> VisitorIdentity:
    """The visitor of a link. Raises LinkExpired for one that is old, forged or another company's, or of another address."""
    if not isinstance(token, str) or not 0 < len(token) <= LINK_CHARACTERS:
        raise LinkExpired
    try:
        data = _signer.unsign_object(token, max_age=LASTS)
        issued_to, visitor_id, address = UUID(data["t"]), UUID(data["v"]), str(data["e"])
    except (signing.BadSignature, KeyError, TypeError, ValueError) as error:
        raise LinkExpired from error
    if issued_to != tenant_id:
        raise LinkExpired
    with tenant_atomic(tenant_id):
        visitor: Visitor | None = Visitor.objects.filter(id=visitor_id, subject="").exclude(answer_email="").first()
    if visitor is None or not constant_time_compare(_of_address(visitor), address):
        raise LinkExpired
    return VisitorIdentity(tenant_id, visitor_id)


def _of_address(visitor: Visitor) -> str:
    """Something of the address that is not the address."""
    return salted_hmac(_SALT, f"{visitor.id}:{visitor.answer_email}", algorithm="sha256").hexdigest()[:16]
