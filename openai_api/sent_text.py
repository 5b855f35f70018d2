"""What a client has been sent of one answer. Text that is on its way cannot be unsent, so it is only ever continued."""

from __future__ import annotations

from dataclasses import dataclass, field


class Withdrawn(Exception):
    """The answer does not begin with what was sent."""


@dataclass(slots=True)
class SentText:
    """Turns the deltas of a reply, perhaps of several attempts, into what to send next.

    White space around the answer is not part of it: leading white space is skipped, trailing held back until more follows.
    """

    sent: str = ""
    _attempt: int = 0
    _sequence: int = 0
    _text: str = field(default="")

    def add(self, *, attempt: int, sequence: int, text: str) -> str:
        """What to send now, possibly nothing. Raises Withdrawn when another attempt begins differently."""
        if attempt < self._attempt:
            return ""
        if attempt > self._attempt:
            self._attempt, self._sequence, self._text = attempt, 0, ""
        if sequence != self._sequence + 1:
            # A gap: the rest waits for the final text.
            return ""
        self._sequence = sequence
        self._text += text
        return self._advance(self._text.strip())

    def finish(self, answer: str) -> str:
        """The rest of the final answer. Raises Withdrawn when it is another one."""
        rest = self._advance(answer.strip())
        if self.sent != answer.strip():
            raise Withdrawn
        return rest

    def _advance(self, text: str) -> str:
        if self.sent.startswith(text):
            return ""
        if not text.startswith(self.sent):
            raise Withdrawn
        rest = text[len(self.sent) :]
        self.sent = text
        return rest
