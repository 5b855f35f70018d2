"""Signed visitor tokens: who a customer is, without an account. They travel in headers only, never in a URL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.core import signing

from helpdesk.errors import NotSignedIn

IDENTIFIED = timedelta(days=1)
# The token is also a websocket subprotocol, whose alphabet (RFC 9110 token) has "~" but no ":".
_signer = signing.TimestampSigner(salt="glassdesk.visitor", sep="~")


@dataclass(frozen=True, slots=True)
class VisitorIdentity:
    """The tenant and visitor that a token vouches for; `kid` is the key of the signed identity, if one began the visit."""

    tenant_id: UUID
    visitor_id: UUID
    kid: str = ""


def issue_token(identity: VisitorIdentity) -> str:
    """A token that `read_token` accepts for VISITOR_TOKEN_DAYS, one of an identified visitor for a day."""
    return _signer.sign_object(
        {"t": str(identity.tenant_id), "v": str(identity.visitor_id)} | ({"k": identity.kid} if identity.kid else {})
    )


def read_token(token: str, *, tenant_id: UUID) -> VisitorIdentity:
    """The identity in the token; raises NotSignedIn when it is missing, forged, expired or of another tenant."""
    try:
        data = _signer.unsign_object(token, max_age=timedelta(days=settings.VISITOR_TOKEN_DAYS))
        identity = VisitorIdentity(UUID(data["t"]), UUID(data["v"]), data.get("k", ""))
        if identity.kid:
            _signer.unsign_object(token, max_age=IDENTIFIED)
    except (signing.BadSignature, KeyError, TypeError, ValueError) as error:
        raise NotSignedIn from error
    if identity.tenant_id != tenant_id:
        raise NotSignedIn
    return identity
