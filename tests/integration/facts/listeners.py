"""Subscribers for tests: they keep what they are told, and fail when they are told to."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from conversations.publishing import STREAMED, publish_fact
from helpdesk.facts.kinds import FactKind
from helpdesk.facts.models import Fact
from helpdesk.facts.subscribing import Subscriber


class Refused(Exception):
    """What a listener raises."""


@dataclass
class Listener:
    """What one subscriber was told; `refused` are lanes of which it takes nothing."""

    told: list[UUID] = field(default_factory=list)
    refused: set[UUID] = field(default_factory=set)

    def hear(self, fact: Fact) -> None:
        if fact.lane in self.refused:
            raise Refused("somebody's words")
        self.told.append(fact.id)


PROMPT, LATE = Listener(), Listener()
ALL = frozenset(FactKind)
LISTENERS = (
    Subscriber("prompt", kinds=ALL, deliver=PROMPT.hear, is_prompt=True),
    Subscriber("late", kinds=ALL, deliver=LATE.hear),
)


def publish_and_die(fact: Fact) -> None:
    publish_fact(fact)
    os.kill(os.getpid(), signal.SIGKILL)


# For a process that is to die before it acknowledges.
DYING = (Subscriber("streams", kinds=STREAMED, deliver=publish_and_die, is_prompt=True),)


def forget_everything(listeners: Iterable[Listener] = (PROMPT, LATE)) -> None:
    for listener in listeners:
        listener.told.clear()
        listener.refused.clear()
