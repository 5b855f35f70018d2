"""How Daphne takes requests in: bodies are left to the views, and what it refuses itself has the API's error body.

Twisted, below it, reads the body of every form on the event loop, uploads included, for a result that nobody asks for; one
without a boundary it refuses with an empty answer. Nor does it bound a body, which fills the disk before any view sees it.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from django.conf import settings

from helpdesk.private_names import refuse_untested
from helpdesk.web.patches import LIBRARIES

API_PATHS = (b"/api/", b"/v1/")
INVALID = {
    "code": "invalid",
    "message": "This request could not be understood. Check its address, its headers and its length, and send it again.",
    "type": "invalid_request_error",
    "param": None,
}
FAULT = {
    "code": "error",
    "message": "Something went wrong on our end. Try again in a moment.",
    "type": "server_error",
    "param": None,
}
# Of the largest body that any view takes, the batch's; each view has a limit of its own below it.
MAX_BODY_BYTES = settings.BATCH_MAX_BYTES + settings.DATA_UPLOAD_MAX_MEMORY_SIZE
TOO_LARGE = {
    "code": "body_too_large",
    "message": f"The body is larger than {MAX_BODY_BYTES} bytes. Send less at once.",
    "type": "invalid_request_error",
    "param": None,
}
HEADERS = [(b"Content-Type", b"application/json"), (b"Cache-Control", b"no-store")]


def error_body(error: dict[str, str | None]) -> bytes:
    """The body that every API's errors have."""
    return json.dumps({"error": error}).encode()


def use_with_daphne() -> None:
    """Replace Daphne's request class by ours, when it is Daphne that imports the application.

    Raises UntestedVersion where Daphne, or what it stands on, is another version than was tried.
    """
    protocol: Any = sys.modules.get("daphne.http_protocol")
    if protocol is None or hasattr(protocol.WebRequest, "is_glassdesks"):
        return
    refuse_untested(*LIBRARIES)

    class WebRequest(protocol.WebRequest):  # type: ignore[misc]
        """A request whose body nobody reads before the views do."""

        is_glassdesks = True
        received = 0

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options, parsePOSTFormSubmission=False)

        def handleContentChunk(self, data: bytes) -> None:
            """Keep what comes, until it is too much; what still comes then is dropped with the connection."""
            before, self.received = self.received, self.received + len(data)
            if self.received <= MAX_BODY_BYTES:
                super().handleContentChunk(data)
            elif before <= MAX_BODY_BYTES:
                end_with(self.channel, b"413 Payload Too Large", TOO_LARGE)

        def basic_error(self, status: int, status_text: bytes, body: str) -> None:
            """What Daphne refuses by itself: a page for people, the error body for API clients."""
            if not self.uri.startswith(API_PATHS):
                super().basic_error(status, status_text, body)
                return
            self.handle_reply({"type": "http.response.start", "status": status, "headers": HEADERS})
            error = INVALID if status < 500 else FAULT
            self.handle_reply({"type": "http.response.body", "body": error_body(error)})

    protocol.WebRequest = WebRequest
    # Of what is no HTTP neither address nor method is known.
    protocol.http.HTTPChannel._respondToBadRequestAndDisconnect = lambda channel: end_with(
        channel, b"400 Bad Request", INVALID
    )


def end_with(channel: Any, status: bytes, error: dict[str, str | None]) -> None:
    """Answer in the middle of a request, and end the connection."""
    body = error_body(error)
    headers = [*HEADERS, (b"Connection", b"close"), (b"Content-Length", b"%d" % len(body))]
    lines = [b"HTTP/1.1 " + status, *(b"%s: %s" % header for header in headers), b"", body]
    channel.transport.write(b"\r\n".join(lines))
    channel.loseConnection()
