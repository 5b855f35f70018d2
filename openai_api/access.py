"""Who calls `/v1` and how much they may: the same keys, scopes and limits as the desk's own API."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from helpdesk.api.authentication import SCHEME
from helpdesk.api.json_body import BODY_BYTES
from helpdesk.api.limits import Quota, count_request
from helpdesk.api.views import read_body
from helpdesk.api_keys.domain import ApiClient, recognise
from helpdesk.api_keys.errors import InvalidApiKey, ScopeMissing
from helpdesk.api_keys.scopes import Scope
from helpdesk.errors import TooManyRequests


@dataclass(slots=True)
class Caller:
    """A caller with a sound key, and where it stands in its limits once it was counted."""

    client: ApiClient
    quota: Quota | None = None

    def write_headers(self, response: HttpResponseBase) -> None:
        """The limits, under the standard's names and under OpenAI's."""
        if self.quota is None:
            return
        self.quota.write_headers(response)
        response["x-ratelimit-limit-requests"] = str(self.quota.limit)
        response["x-ratelimit-remaining-requests"] = str(max(0, self.quota.limit - self.quota.used))
        response["x-ratelimit-reset-requests"] = f"{self.quota.reset_seconds}s"


def recognise_caller(request: HttpRequest) -> Caller:
    """The caller by its key, counted once. Raises InvalidApiKey."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != SCHEME:
        raise InvalidApiKey
    client = recognise(key.strip())
    return Caller(client, count_request(client))


def let_in(caller: Caller, scope: Scope | None) -> None:
    """Raise TooManyRequests or ScopeMissing."""
    if caller.quota is not None and caller.quota.is_exceeded:
        raise TooManyRequests(retry_after=caller.quota.reset_seconds)
    if scope is not None and scope not in caller.client.scopes:
        raise ScopeMissing(scope)


def body_of(request: HttpRequest) -> bytes:
    """The whole body. Raises BodyTooLarge."""
    return read_body(request, limit=BODY_BYTES)
