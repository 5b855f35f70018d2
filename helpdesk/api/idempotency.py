"""`Idempotency-Key`: a POST that is sent again gets the first one's answer instead of a second effect.

Only successes are kept. Whatever failed changed nothing, so that it may be tried again with the same key.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from helpdesk.api.models import IdempotentRequest
from helpdesk.api_keys.domain import ApiClient
from helpdesk.errors import Conflict, InvalidInput
from helpdesk.pending.marks import note
from helpdesk.pending.models import Kind
from helpdesk.tenants.scope import tenant_atomic

HEADER = "Idempotency-Key"
KEPT = timedelta(hours=24)
# A process that died in the middle must not block its caller for a day.
LEASE = timedelta(minutes=3)
KEY_CHARACTERS = 255


class KeyReused(InvalidInput):
    """The same key came with another request."""

    code = "idempotency_key_reused"
    status = 422
    message = gettext_lazy("This Idempotency-Key was already used for another request. Use a new one for each request.")


class StillRunning(Conflict):
    """The first request with this key is not finished."""

    code = "idempotency_in_progress"
    message = gettext_lazy("A request with this Idempotency-Key is still in progress. Try again in a moment.")


class NotRepeatable(Conflict):
    """The first answer was a stream or opened content, which is not kept, or what it was about has been deleted."""

    code = "idempotency_not_repeatable"
    message = gettext_lazy(
        "A request with this Idempotency-Key was already processed, so nothing was done this time. Its response "
        "isn't stored: read the result at its own URL, or send the request with a new Idempotency-Key to run it again."
    )


class Replayed(Exception):
    """Not an error: the answer is known already, and nothing is to be done."""

    def __init__(self, response: HttpResponse) -> None:
        self.response = response
        super().__init__()


def request_digest(method: str, path: str, body: bytes) -> str:
    """What makes two requests the same."""
    return hashlib.sha256(f"{method} {path}\n".encode() + body).hexdigest()


def claim(client: ApiClient, *, key: str, digest: str) -> UUID:
    """Begin this request, under the id that is returned. Raises Replayed, KeyReused, StillRunning or InvalidInput."""
    if not 0 < len(key) <= KEY_CHARACTERS or not key.isascii() or not key.isprintable():
        raise InvalidInput(_("An Idempotency-Key must be 1 to 255 visible ASCII characters."))
    now = timezone.now()
    with tenant_atomic(client.tenant_id):
        mine = IdempotentRequest.objects.filter(api_key_id=client.key_id, key=key)
        mine.filter(expires_at__lte=now).delete()
        row = IdempotentRequest(api_key_id=client.key_id, key=key, digest=digest, claimed_at=now, expires_at=now + KEPT)
        # Waits for a concurrent claim of the same key to commit, and then does nothing.
        IdempotentRequest.objects.bulk_create([row], ignore_conflicts=True)
        stored: IdempotentRequest | None = mine.select_for_update().first()
        if stored is None:
            # The first one has just failed and was forgotten.
            raise StillRunning
        if stored.id == row.id:
            note(Kind.IDEMPOTENCY, due_at=_full_hour_after(row.expires_at))
            return row.id
        if stored.digest != digest:
            raise KeyReused
        if stored.status is not None:
            raise Replayed(_stored_response(stored))
        if stored.claimed_at > now - LEASE:
            raise StillRunning
        mine.update(claimed_at=now)
        return stored.id


def settle(client: ApiClient, request_id: UUID, response: HttpResponseBase, *, subject: UUID | None) -> None:
    """Keep a success for the next time, and forget a failure."""
    with tenant_atomic(client.tenant_id):
        rows = IdempotentRequest.objects.filter(id=request_id)
        if response.status_code >= 400:
            rows.delete()
            return
        is_kept = isinstance(response, Response)
        body = JSONRenderer().render(response.data).decode() if isinstance(response, Response) else ""
        rows.update(
            status=response.status_code, body=body, location=response.headers.get("Location", ""),
            is_repeatable=is_kept, subject=subject,
        )  # fmt: skip


def keep_answer(request_id: UUID, body: str, *, subject: UUID) -> None:
    """What a repeated request is to be answered from, kept before the answer is there. Runs inside `tenant_atomic`."""
    IdempotentRequest.objects.filter(id=request_id).update(status=200, body=body, subject=subject)


def forget_request(client: ApiClient, *, key: str, body: str | None = None) -> None:
    """Forget a request that came to nothing, so that it may be tried again; with `body` only while that is what is kept."""
    with tenant_atomic(client.tenant_id):
        rows = IdempotentRequest.objects.filter(api_key_id=client.key_id, key=key)
        (rows.filter(status=None) if body is None else rows.filter(body=body)).delete()


def forget_answers_about(subject: UUID) -> None:
    """Remove kept answers about something that is being deleted. Runs inside `tenant_atomic`."""
    IdempotentRequest.objects.filter(subject=subject).update(body="", is_repeatable=False)


def has_expired_requests() -> bool:
    """Whether the tenant in scope has kept answers past their day."""
    return bool(_expired().exists())


def forget_expired_requests(tenant_id: UUID) -> None:
    """Delete a tenant's kept answers past their day."""
    with tenant_atomic(tenant_id):
        _expired().delete()


def _expired() -> QuerySet[IdempotentRequest]:
    expired: QuerySet[IdempotentRequest] = IdempotentRequest.objects.filter(expires_at__lte=timezone.now())
    return expired


def _full_hour_after(moment: datetime) -> datetime:
    """One mark does for all requests of an hour."""
    return moment.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)


def _stored_response(stored: IdempotentRequest) -> HttpResponse:
    if not stored.is_repeatable:
        raise NotRepeatable
    response = HttpResponse(stored.body, content_type="application/json", status=stored.status)
    if stored.location:
        response["Location"] = stored.location
    response["Idempotent-Replayed"] = "true"
    return response
