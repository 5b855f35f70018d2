"""The stream of one reply being written: phases and numbered, coalesced deltas that outlive a short absence of Redis."""

from __future__ import annotations

import time
from uuid import UUID

import redis
import structlog

from conversations.entries import PhaseReached, StreamEntry, TextWritten, to_plain
from helpdesk.streams.entries import conversation_stream
from helpdesk.streams.writer import publish

logger = structlog.get_logger(__name__)

RETRY_SECONDS = 0.5


class ReplyStream:
    """Writes entries of one attempt in order. While Redis is away they wait here and go out together later."""

    def __init__(
        self, *, tenant_id: UUID, conversation_id: UUID, reply_id: UUID, attempt: int, interval: float
    ) -> None:
        self._stream = conversation_stream(tenant_id, conversation_id)
        self._reply_id = reply_id
        self._attempt = attempt
        self._interval = interval
        self._waiting: list[StreamEntry] = []
        self._text = ""
        self._sequence = 0
        self._flushed_at = 0.0
        self._retry_at = 0.0

    def phase(self, phase: str, *, format: str | None = None) -> None:
        """Say in which phase the reply is, and the format of the text that follows once that is known."""
        self._flush_text()
        self._send(PhaseReached(reply=self._reply_id, attempt=self._attempt, phase=phase, format=format))

    def add(self, text: str) -> None:
        """Append text; sent at most once in `interval` seconds."""
        self._text += text
        if time.monotonic() - self._flushed_at >= self._interval:
            self._flush_text()

    def flush(self) -> None:
        """Send what is still held back."""
        self._flush_text()

    def _flush_text(self) -> None:
        if not self._text:
            return
        self._sequence += 1
        text, self._text = self._text, ""
        self._flushed_at = time.monotonic()
        self._send(TextWritten(reply=self._reply_id, attempt=self._attempt, sequence=self._sequence, text=text))

    def _send(self, entry: StreamEntry) -> None:
        self._waiting.append(entry)
        if time.monotonic() < self._retry_at:
            return
        try:
            while self._waiting:
                publish(self._stream, to_plain(self._waiting[0]))
                self._waiting.pop(0)
        except redis.RedisError as error:
            self._retry_at = time.monotonic() + RETRY_SECONDS
            logger.warning("reply_stream_waiting", entries=len(self._waiting), error=type(error).__name__)
