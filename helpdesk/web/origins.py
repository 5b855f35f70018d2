"""Which pages may open websockets: only our own (the widget runs in our frame), and a missing origin is refused."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import validate_host

from helpdesk.web.sockets import Close, accept_and_close


def is_own_origin(headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether `Origin` names the host that was asked for, and that host is one of ours."""
    values = {name.lower(): value.decode("latin-1") for name, value in headers if name.lower() in {b"origin", b"host"}}
    origin, host = urlsplit(values.get(b"origin", "")), values.get(b"host", "")
    if origin.scheme not in {"http", "https"} or not origin.netloc:
        return False
    allowed = settings.ALLOWED_HOSTS
    return origin.netloc.lower() == host.lower() and validate_host(origin.hostname or "", allowed)


class SameOriginOnly:
    """Accepts and at once closes sockets of other origins with a code, so that the client can tell why."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if is_own_origin(scope["headers"]):
            await self.application(scope, receive, send)
            return
        await accept_and_close(scope, receive, send, Close.FORBIDDEN)
