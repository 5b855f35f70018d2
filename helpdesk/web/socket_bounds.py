"""How much one websocket can make the web process hold. Daphne alone queues without end in both directions.

A client that does not read fills the transport's buffer: nothing more is read from it then, so that it cannot ask for more, and
when the server itself has still too much to say the socket is closed. A client that sends faster than anybody types, or than its
frames can be handled, is closed as well.
"""

from __future__ import annotations

import time
from typing import Any

from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol

from helpdesk.web.sockets import Close

FRAME_BYTES = 64 * 1024
# Beyond what the transport holds when it says that it is full (64 KiB), and the one frame that filled it.
HELD_BYTES = 1024 * 1024
FRAMES_IN_WINDOW, WINDOW_SECONDS = 100, 10.0
WAITING_FRAMES = 32


class BoundedProtocol(WebSocketProtocol):  # type: ignore[misc]
    """Daphne's websocket, bounded."""

    is_full = False
    is_refused = False
    held = 0
    window_began = 0.0
    frames = 0

    def onConnect(self, request: Any) -> Any:
        """The handshake. Frames above the limit are then refused by their head, and clients told why (1002, 1007, 1009)."""
        self.failByDrop = False
        self.maxFramePayloadSize = self.maxMessagePayloadSize = FRAME_BYTES
        return super().onConnect(request)

    def onOpen(self) -> None:
        """From now on the transport says when its buffer is full."""
        super().onOpen()
        # Twisted's HTTP channel, which has handed the connection over.
        self.transport.unregisterProducer()
        self.transport.registerProducer(Outlet(self), True)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """A frame of the client."""
        if self.is_refused:
            return
        if self._is_too_fast() or self.application_queue.qsize() >= WAITING_FRAMES:
            self._refuse(Close.TOO_MANY)
            return
        super().onMessage(payload, isBinary)

    def serverSend(self, content: Any, binary: bool = False) -> None:
        """A frame for the client; one that is being closed gets none any more."""
        if self.state in {self.STATE_CLOSING, self.STATE_CLOSED}:
            return
        if self.is_full:
            self.held += len(content)
            if self.held > HELD_BYTES:
                self._refuse(Close.TOO_SLOW)
                return
        super().serverSend(content, binary)

    def _is_too_fast(self) -> bool:
        now = time.monotonic()
        if now - self.window_began > WINDOW_SECONDS:
            self.window_began, self.frames = now, 0
        self.frames += 1
        return self.frames > FRAMES_IN_WINDOW

    def _refuse(self, code: Close) -> None:
        """Close; a client that does not answer that within a second is cut off, with everything that waits for it."""
        self.is_refused = True
        self.sendClose(code=int(code))


class Outlet:
    """What the transport tells when its buffer is full, and when it is empty again (Twisted's IPushProducer)."""

    def __init__(self, protocol: BoundedProtocol) -> None:
        self.protocol = protocol

    def pauseProducing(self) -> None:
        """Nothing is read from a client that does not read."""
        self.protocol.is_full, self.protocol.held = True, 0
        self.protocol.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """It has read everything."""
        self.protocol.is_full = False
        self.protocol.transport.resumeProducing()

    def stopProducing(self) -> None:
        """The connection is gone."""


def bound_sockets() -> None:
    """Have Daphne make bounded sockets from now on."""
    WebSocketFactory.protocol = BoundedProtocol
