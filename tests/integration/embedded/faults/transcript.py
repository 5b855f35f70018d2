"""What the widget shows as a function of the frames that arrived: the rules of static/widget/state.js."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Frame = dict[str, Any]


@dataclass
class Writing:
    """A reply in progress."""

    attempt: int
    text: str = ""
    sequence: int = 0


@dataclass
class Transcript:
    """One customer's page. `streamed` keeps the text of the deltas at the moment when each answer replaced it."""

    cursor: str = ""
    gap: bool = False
    synced: bool = False
    messages: dict[str, Frame] = field(default_factory=dict)
    writing: dict[str, Writing] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    outbox: dict[str, str] = field(default_factory=dict)
    streamed: dict[str, str] = field(default_factory=dict)
    refused: list[Frame] = field(default_factory=list)

    def receive(self, frame: Frame) -> None:
        """Apply one frame; after a gap only a whole transcript counts."""
        handler = getattr(self, f"_{frame['type']}", None)
        if handler is None or (self.gap and frame["type"] != "ready"):
            return
        handler(frame)
        if "id" in frame and not self.gap:
            self.cursor = max(self.cursor, frame["id"], key=_order)

    @property
    def shown(self) -> list[tuple[int, str, str]]:
        """Position, author and text of every message, in order."""
        return sorted((entry["position"], entry["author"], entry["body"]) for entry in self.messages.values())

    def answers(self) -> list[Frame]:
        """The assistant's messages in order."""
        ai = [entry for entry in self.messages.values() if entry["author"] == "ai"]
        return sorted(ai, key=lambda entry: entry["position"])

    def _ready(self, frame: Frame) -> None:
        self.gap, self.synced, self.cursor = False, True, frame["cursor"]
        self.messages = {}
        self.writing = {reply["id"]: Writing(reply["attempt"]) for reply in frame["replies"]}
        for message in frame["messages"]:
            self._keep(message)

    def _resumed(self, frame: Frame) -> None:
        self.synced = True

    def _message(self, frame: Frame) -> None:
        message = frame["message"]
        if message["author"] == "ai" and message["reply"] in self.writing:
            self.streamed[message["reply"]] = self.writing.pop(message["reply"]).text
        self._keep(message)

    def _keep(self, message: Frame) -> None:
        self.messages[message["id"]] = message
        self.outbox.pop(message["client_id"], None)
        self.failures.pop(message["reply"], None)

    def _reply(self, frame: Frame) -> None:
        self._current(frame)

    def _phase(self, frame: Frame) -> None:
        self._current(frame)

    def _delta(self, frame: Frame) -> None:
        reply = frame["reply"]
        if self._is_finished(reply):
            return
        current = self.writing.get(reply)
        if current is None or frame["attempt"] > current.attempt:
            self.gap = True
        elif frame["attempt"] == current.attempt and frame["sequence"] > current.sequence:
            if frame["sequence"] > current.sequence + 1:
                self.gap = True
                return
            current.sequence = frame["sequence"]
            current.text += frame["text"]

    def _done(self, frame: Frame) -> None:
        self._message(frame)

    def _failed(self, frame: Frame) -> None:
        if not self._is_finished(frame["reply"]):
            self.writing.pop(frame["reply"], None)
            self.failures[frame["reply"]] = frame["message"]

    def _error(self, frame: Frame) -> None:
        self.refused.append(frame)

    def _current(self, frame: Frame) -> None:
        current = self.writing.get(frame["reply"])
        if not self._is_finished(frame["reply"]) and (current is None or frame["attempt"] > current.attempt):
            self.writing[frame["reply"]] = Writing(frame["attempt"])

    def _is_finished(self, reply: str) -> bool:
        return reply in self.failures or any(entry["reply"] == reply for entry in self.answers())


def _order(cursor: str) -> tuple[int, int]:
    milliseconds, _, number = cursor.partition("-")
    return int(milliseconds or 0), int(number or 0)
