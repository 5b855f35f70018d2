"""What has to be so for a rule to do something: all of it, and nothing where nothing is asked for. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from knowledge.folding import folded

OPEN, CLOSED = "open", "closed"


@dataclass(frozen=True, slots=True)
class Happening:
    """What a rule looks at: the conversation as it is, what its customer said, and whether the company was open.

    `reason` is why it waits for a person, if it does.
    """

    language: str
    channel: str
    priority: str
    labels: frozenset[str]
    reason: str
    text: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class Conditions:
    """The fields of a rule; an empty one asks for nothing. One of the `words` is enough."""

    language: str = ""
    channel: str = ""
    priority: str = ""
    label: str = ""
    reason: str = ""
    words: tuple[str, ...] = ()
    hours: str = ""

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Conditions:
        """From a rule's row."""
        known = {name: value for name, value in stored.items() if name in cls.__dataclass_fields__}
        return cls(**known | {"words": tuple(known.get("words", ()))})

    def stored(self) -> dict[str, Any]:
        """For a rule's row, without what asks for nothing."""
        values = asdict(self) | {"words": list(self.words)}
        return {name: value for name, value in values.items() if value}

    def hold(self, happening: Happening) -> bool:
        """Whether all of it is so."""
        equal = ("language", "channel", "priority", "reason")
        if any(getattr(self, name) not in ("", getattr(happening, name)) for name in equal):
            return False
        if self.label and self.label not in happening.labels:
            return False
        if self.hours and (self.hours == OPEN) != happening.is_open:
            return False
        return not self.words or contains(happening.text, self.words)


def contains(text: str, words: Sequence[str]) -> bool:
    """Whether one of them stands in the text, however they are capitalised; Latin ones as whole words only."""
    plain = _plain(text)
    return any(_stands_in(_plain(word), plain) for word in words)


def label_of(conditions: Conditions) -> UUID | None:
    """The label that is asked for."""
    return UUID(conditions.label) if conditions.label else None


def _plain(text: str) -> str:
    return " ".join(folded(text).casefold().split())


def _stands_in(word: str, text: str) -> bool:
    start = text.find(word) if word else -1
    while start >= 0:
        before, behind = text[start - 1 : start], text[start + len(word) : start + len(word) + 1]
        if not (_joins(before, word[0]) or _joins(word[-1], behind)):
            return True
        start = text.find(word, start + 1)
    return False


def _joins(one: str, other: str) -> bool:
    """Whether two neighbouring characters belong to one word: Chinese is written without blanks."""
    return bool(one and other) and one.isalnum() and other.isalnum() and one.isascii() and other.isascii()
