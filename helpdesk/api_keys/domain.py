"""Creating, revoking and recognising keys."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from helpdesk.api_keys.errors import InvalidApiKey
from helpdesk.api_keys.key_text import make_key_text, parse_key_text
from helpdesk.api_keys.models import ApiKey, KeyState
from helpdesk.api_keys.noting import notes
from helpdesk.api_keys.scopes import Scope
from helpdesk.errors import InvalidInput, NotFound
from helpdesk.facts.kinds import FactKind, user_actor
from helpdesk.facts.recording import record
from helpdesk.permissions import Right
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.acting import needs
from helpdesk.users.models import User

logger = structlog.get_logger(__name__)

LAST_USE_RESOLUTION = timedelta(minutes=1)
NAME_CHARACTERS = 80
MOST_REQUESTS_PER_MINUTE = 100_000
_NO_DIGEST = "0" * 64


@dataclass(frozen=True, slots=True)
class ApiClient:
    """Who calls: the tenant, the key and what it may do."""

    tenant_id: UUID
    key_id: UUID
    scopes: frozenset[str]
    requests_per_minute: int | None = None


@dataclass(frozen=True, slots=True)
class CreatedKey:
    """A new key with its text, which cannot be had again."""

    key: ApiKey
    text: str


@needs(Right.MANAGE_API_KEYS)
def create_key(
    *,
    tenant_id: UUID,
    name: str,
    scopes: Iterable[str],
    created_by: User | None = None,
    expires_at: datetime | None = None,
    requests_per_minute: int | None = None,
) -> CreatedKey:
    """Make a key and note it. Raises InvalidInput for a name, scope or expiry that cannot be, and what noting raises."""
    name, chosen = name.strip(), sorted({str(scope) for scope in scopes})
    if not 0 < len(name) <= NAME_CHARACTERS or not name.isprintable():
        raise InvalidInput(_("Give the key a name of 1 to %(limit)d characters.") % {"limit": NAME_CHARACTERS})
    if not chosen or not set(chosen) <= set(Scope.values):
        raise InvalidInput(_("Choose at least one of these scopes: %(scopes)s.") % {"scopes": ", ".join(Scope.values)})
    if expires_at is not None and expires_at <= timezone.now():
        raise InvalidInput(_("A key must expire in the future."))
    if requests_per_minute is not None and not 1 <= requests_per_minute <= MOST_REQUESTS_PER_MINUTE:
        raise InvalidInput(_("A key can send 1 to 100,000 requests per minute."))
    text = make_key_text(tenant_id)
    with tenant_atomic(tenant_id):
        key = ApiKey(
            name=name, prefix=text.prefix, digest=text.digest, scopes=chosen, created_by=created_by,
            expires_at=expires_at, requests_per_minute=requests_per_minute,
        )  # fmt: skip
        notes().created(key, user=created_by)
        key.save(force_insert=True)
        record(FactKind.API_KEY_CREATED, subject_id=key.id, actor=user_actor(created_by), scopes=len(chosen))
    logger.info(
        "api_key_created", tenant_id=str(tenant_id), key_id=str(key.id), scopes=chosen, user_id=_id_of(created_by)
    )
    return CreatedKey(key, text.text)


@needs(Right.MANAGE_API_KEYS)
def revoke_key(*, tenant_id: UUID, key_id: UUID, revoked_by: User | None = None) -> ApiKey:
    """Make the key useless from its next request on; revoking twice changes nothing. Raises NotFound, and what noting raises."""
    with tenant_atomic(tenant_id):
        revoked = ApiKey.objects.filter(id=key_id, revoked_at__isnull=True).update(
            revoked_at=timezone.now(), revoked_by=revoked_by
        )
        key: ApiKey | None = ApiKey.objects.filter(id=key_id).first()
        if key is not None and revoked:
            notes().revoked(key, user=revoked_by)
            record(FactKind.API_KEY_REVOKED, subject_id=key_id, actor=user_actor(revoked_by))
    if key is None:
        raise NotFound
    if revoked:
        logger.info("api_key_revoked", tenant_id=str(tenant_id), key_id=str(key_id), user_id=_id_of(revoked_by))
    return key


def recognise(text: str) -> ApiClient:
    """The client whose key this is. Raises InvalidApiKey, for whatever reason."""
    presented = parse_key_text(text)
    if presented is None:
        raise InvalidApiKey
    now = timezone.now()
    with tenant_atomic(presented.tenant_id):
        key: ApiKey | None = ApiKey.objects.filter(prefix=presented.prefix).first()
        is_right = hmac.compare_digest(key.digest if key else _NO_DIGEST, presented.digest)
        if key is None or not is_right or key.state_at(now) != KeyState.ACTIVE:
            raise InvalidApiKey
        _note_use(key, now)
    return ApiClient(presented.tenant_id, key.id, frozenset(key.scopes), key.requests_per_minute)


def _note_use(key: ApiKey, now: datetime) -> None:
    """Written at most once a minute, so that reading stays reading."""
    stale = now - LAST_USE_RESOLUTION
    if key.last_used_at is None or key.last_used_at < stale:
        unnoted = Q(last_used_at__isnull=True) | Q(last_used_at__lt=stale)
        ApiKey.objects.filter(unnoted, id=key.id).update(last_used_at=now)


def _id_of(user: User | None) -> int | None:
    return None if user is None else user.pk
