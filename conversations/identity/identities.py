"""Customers whom their company has signed in: a JSON Web Token (RFC 7519) of its server says who they are.

It has to name its key (`kid`), a subject (`sub`: the company's own id of the customer) and an end (`exp`) within a day. It may
carry `name` and `email` for the people at the desk. What it begins is a visit of a day, that its key's revocation ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import jwt
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils import timezone

from conversations.errors import IdentityRefused
from conversations.identity.keys import is_active
from conversations.identity.visitors import VisitorIdentity, read_token
from conversations.models import IdentityKey, Visitor
from conversations.validation import REFERENCE_CHARACTERS
from helpdesk.errors import NotSignedIn
from helpdesk.tenants.scope import tenant_atomic

ALGORITHM = "ES256"
LONGEST = timedelta(days=1)
LEEWAY = timedelta(seconds=30)
TOKEN_CHARACTERS = 4000
NAME_CHARACTERS = 120
USE_RESOLUTION = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the company says that somebody is."""

    kid: str
    subject: str
    name: str = ""
    email: str = ""


def begin_identified_visit(tenant_id: UUID, token: object) -> VisitorIdentity:
    """The visitor of this customer, the same one on every device. Raises IdentityRefused with the reason."""
    with tenant_atomic(tenant_id):
        identity = verify(token)
        visitor: Visitor = Visitor.objects.get_or_create(subject=identity.subject)[0]
        now = timezone.now()
        Visitor.objects.filter(id=visitor.id).update(name=identity.name, email=identity.email, last_seen_at=now)
        IdentityKey.objects.filter(kid=identity.kid).exclude(last_used_at__gt=now - USE_RESOLUTION).update(
            last_used_at=now
        )
        return VisitorIdentity(tenant_id, visitor.id, identity.kid)


def verify(token: object) -> Identity:
    """What the token says, for the tenant in scope. Raises IdentityRefused."""
    if not isinstance(token, str) or not 0 < len(token) <= TOKEN_CHARACTERS:
        raise IdentityRefused("malformed")
    try:
        kid = jwt.get_unverified_header(token).get("kid")
    except jwt.InvalidTokenError as error:
        raise IdentityRefused("malformed") from error
    key = IdentityKey.objects.filter(kid=kid, revoked_at__isnull=True).first() if isinstance(kid, str) else None
    if key is None:
        raise IdentityRefused("unknown_key")
    try:
        claims = jwt.decode(
            token, key.public_key, algorithms=[ALGORITHM], leeway=LEEWAY,
            options={"require": ["sub", "exp"], "verify_aud": False},
        )  # fmt: skip
    except jwt.ExpiredSignatureError as error:
        raise IdentityRefused("expired") from error
    except jwt.MissingRequiredClaimError as error:
        raise IdentityRefused("incomplete") from error
    except jwt.InvalidTokenError as error:
        raise IdentityRefused("bad_signature") from error
    if int(claims["exp"]) - timezone.now().timestamp() > (LONGEST + LEEWAY).total_seconds():
        raise IdentityRefused("lasts_too_long")
    subject = claims["sub"]
    if not 0 < len(subject) <= REFERENCE_CHARACTERS or not subject.isprintable():
        raise IdentityRefused("bad_subject")
    return Identity(key.kid, subject, _name(claims), _email(claims))


def visitor_of_token(token: str, *, tenant_id: UUID) -> VisitorIdentity:
    """Like `read_token`; a visit that a signed identity began ends with its key, too. Raises NotSignedIn."""
    identity = read_token(token, tenant_id=tenant_id)
    if identity.kid:
        with tenant_atomic(tenant_id):
            if not is_active(identity.kid):
                raise NotSignedIn
    return identity


def _name(claims: dict[str, Any]) -> str:
    name = claims.get("name", "")
    return name.strip()[:NAME_CHARACTERS] if isinstance(name, str) and name.isprintable() else ""


def _email(claims: dict[str, Any]) -> str:
    """The address, or nothing where it is none: a customer is not turned away for it."""
    email = claims.get("email", "")
    try:
        validate_email(email if isinstance(email, str) else "")
    except ValidationError:
        return ""
    return str(email)
