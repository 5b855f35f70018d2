"""Making and revoking the keys of signed identities. Two may be in use at once, so that one follows the other without a gap."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from uuid import UUID

import structlog
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.models import IdentityKey
from helpdesk.errors import InvalidInput, NotFound
from helpdesk.facts.kinds import FactKind, user_actor
from helpdesk.facts.recording import record
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.models import User

logger = structlog.get_logger(__name__)

NAME_CHARACTERS = 80
MOST_ACTIVE = 5


@dataclass(frozen=True, slots=True)
class CreatedIdentityKey:
    """A new key, and the private half as PEM (PKCS #8), which cannot be had again."""

    key: IdentityKey
    private_key: str


def create_identity_key(*, tenant_id: UUID, name: str, created_by: User | None = None) -> CreatedIdentityKey:
    """Make a pair for ES256 (RFC 7518: ECDSA with P-256 and SHA-256), which every JWT library signs with. Raises InvalidInput."""
    name = name.strip()
    if not 0 < len(name) <= NAME_CHARACTERS or not name.isprintable():
        raise InvalidInput(_("Name the key with 1 to %(limit)d characters.") % {"limit": NAME_CHARACTERS})
    private = ec.generate_private_key(ec.SECP256R1())
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    with tenant_atomic(tenant_id):
        if IdentityKey.objects.filter(revoked_at__isnull=True).count() >= MOST_ACTIVE:
            raise InvalidInput(_("At most %(limit)d keys can be active. Revoke one first.") % {"limit": MOST_ACTIVE})
        key: IdentityKey = IdentityKey.objects.create(
            name=name, kid=secrets.token_hex(6), public_key=public.decode(), created_by=created_by
        )
        record(FactKind.IDENTITY_KEY_CREATED, subject_id=key.id, actor=user_actor(created_by))
    logger.info("identity_key_created", tenant_id=str(tenant_id), key_id=str(key.id), user_id=_id_of(created_by))
    text = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return CreatedIdentityKey(key, text.decode())


def revoke_identity_key(*, tenant_id: UUID, key_id: UUID, revoked_by: User | None = None) -> IdentityKey:
    """Nothing that it signed, and no visit that it began, counts from now on; twice changes nothing. Raises NotFound."""
    with tenant_atomic(tenant_id):
        revoked = IdentityKey.objects.filter(id=key_id, revoked_at__isnull=True).update(
            revoked_at=timezone.now(), revoked_by=revoked_by
        )
        key: IdentityKey | None = IdentityKey.objects.filter(id=key_id).first()
        if key is None:
            raise NotFound
        if revoked:
            record(FactKind.IDENTITY_KEY_REVOKED, subject_id=key.id, actor=user_actor(revoked_by))
            logger.info(
                "identity_key_revoked", tenant_id=str(tenant_id), key_id=str(key_id), user_id=_id_of(revoked_by)
            )
        return key


def identity_keys() -> QuerySet[IdentityKey]:
    """All keys of the tenant in scope, the newest first, with who made them."""
    rows: QuerySet[IdentityKey] = IdentityKey.objects.select_related("created_by").order_by("-created_at", "id")
    return rows


def is_active(kid: str) -> bool:
    """Whether the key of the tenant in scope still counts."""
    return bool(IdentityKey.objects.filter(kid=kid, revoked_at__isnull=True).exists())


def _id_of(user: User | None) -> int | None:
    return user.pk if user is not None else None
