"""Showing a new key's text once: it waits for the page behind the redirect in the person's session, sealed.

The session's row then holds nothing that opens the API, and reloading the page neither makes nor shows a key again.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.utils import timezone

from helpdesk import crypto
from helpdesk.api_keys.domain import CreatedKey
from helpdesk.api_keys.models import ApiKey

SESSION_ENTRY = "new_api_key"
SHOWN_WITHIN = timedelta(minutes=5)


def keep_to_show(session: SessionBase, tenant_id: UUID, created: CreatedKey) -> None:
    """Keep the text until the next page of the tenant's keys."""
    key = created.key
    sealed = crypto.seal(_sealing_key(), created.text.encode(), _place(tenant_id, key.id))
    session[SESSION_ENTRY] = {
        "tenant": str(tenant_id),
        "key": str(key.id),
        "at": timezone.now().isoformat(),
        "sealed": b64encode(sealed).decode(),
    }


def take_to_show(session: SessionBase, tenant_id: UUID) -> CreatedKey | None:
    """The key made just now in this session and tenant; whatever was kept is gone from the session afterwards."""
    kept: dict[str, Any] | None = session.pop(SESSION_ENTRY, None)
    if kept is None or kept["tenant"] != str(tenant_id):
        return None
    if timezone.now() - datetime.fromisoformat(kept["at"]) > SHOWN_WITHIN:
        return None
    key: ApiKey | None = ApiKey.objects.filter(id=kept["key"]).first()
    if key is None:
        return None
    try:
        text = crypto.unseal(_sealing_key(), b64decode(kept["sealed"]), _place(tenant_id, key.id))
    except crypto.SealError:
        return None
    return CreatedKey(key, text.decode())


def _sealing_key() -> bytes:
    return crypto.derive(settings.SECRET_KEY.encode(), "new-api-key")


def _place(tenant_id: UUID, key_id: UUID) -> bytes:
    return tenant_id.bytes + key_id.bytes
