"""Stopping a reply that is being written: Redis notifies the worker at once, and the reply's row says it again later."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import redis
import structlog

from helpdesk.streams.writer import STOP_CHANNEL, subscriber

logger = structlog.get_logger(__name__)

LISTEN_SECONDS = 1.0
RETRY_SECONDS = 0.5


class StopSignal:
    """Whether one reply was stopped; wakes whoever waits for the engine."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_set = False
        self._wake: Callable[[], None] | None = None

    @property
    def is_set(self) -> bool:
        """Whether the reply was stopped."""
        return self._is_set

    def set(self) -> None:
        """The reply was stopped."""
        with self._lock:
            self._is_set = True
            if self._wake is not None:
                self._wake()

    @contextlib.contextmanager
    def waking(self, wake: Callable[[], None]) -> Iterator[None]:
        """Call `wake` from the listener's thread when the reply is stopped inside the block, or was before."""
        with self._lock:
            self._wake = wake
            if self._is_set:
                wake()
        try:
            yield
        finally:
            with self._lock:
                self._wake = None


class StopListener:
    """One blocking reader per worker process; replies in progress have their signals here."""

    def __init__(self) -> None:
        self._signals: dict[UUID, StopSignal] = {}
        self._stopping = threading.Event()

    def start(self) -> None:
        """Listen in the background until `stop`."""
        threading.Thread(target=self._listen_forever, name="stop-listener", daemon=True).start()

    def stop(self) -> None:
        """End the thread within LISTEN_SECONDS."""
        self._stopping.set()

    @contextlib.contextmanager
    def signal_of(self, reply_id: UUID) -> Iterator[StopSignal]:
        """The reply's signal, which is received for the length of the block."""
        signal = self._signals[reply_id] = StopSignal()
        try:
            yield signal
        finally:
            self._signals.pop(reply_id, None)

    def notify(self, reply_id: UUID) -> None:
        """Stop this reply if it is being written here."""
        signal = self._signals.get(reply_id)
        if signal is not None:
            signal.set()

    def _listen_forever(self) -> None:
        while not self._stopping.is_set():
            try:
                with subscriber() as subscription:
                    subscription.subscribe(STOP_CHANNEL)
                    self._listen(subscription)
            except (redis.RedisError, OSError) as error:
                # Whatever is missed meanwhile is learnt from the rows when the leases are renewed.
                logger.warning("stop_listener_disconnected", error=type(error).__name__)
                self._stopping.wait(RETRY_SECONDS)

    def _listen(self, subscription: Any) -> None:
        while not self._stopping.is_set():
            message = subscription.get_message(ignore_subscribe_messages=True, timeout=LISTEN_SECONDS)
            if message is not None:
                self.notify(UUID(message["data"].decode()))
