"""Subscribers for tests: they keep what they receive, and fail when a test says so."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from conversations.publishing import STREAMED, publish_fact
from helpdesk.facts.kinds import FactKind
from helpdesk.facts.models import Fact
from helpdesk.facts.subscribing import Subscriber
from helpdesk.streams.writer import client


class Refused(Exception):
    """What a listener raises."""


@dataclass
class Listener:
    """What one subscriber received; `refused` are lanes of which it takes nothing."""

    received: list[UUID] = field(default_factory=list)
    refused: set[UUID] = field(default_factory=set)

    def receive(self, fact: Fact) -> None:
        if fact.lane in self.refused:
            raise Refused("somebody's words")
        self.received.append(fact.id)


PROMPT, LATE = Listener(), Listener()
ALL = frozenset(FactKind)
LISTENERS = (
    Subscriber("prompt", kinds=ALL, deliver=PROMPT.receive, is_prompt=True),
    Subscriber("late", kinds=ALL, deliver=LATE.receive),
)


def publish_and_die(fact: Fact) -> None:
    publish_fact(fact)
    os.kill(os.getpid(), signal.SIGKILL)


# For a process that is to die before it acknowledges.
DYING = (Subscriber("streams", kinds=STREAMED, deliver=publish_and_die, is_prompt=True),)


def forget_everything(listeners: Iterable[Listener] = (PROMPT, LATE)) -> None:
    for listener in listeners:
        listener.received.clear()
        listener.refused.clear()


# For a worker of the tests: what a delivery may take there, and what its subscribers were brought, by their names.
SOFT_LIMIT_SECONDS = 3


def brought(name: str) -> str:
    """The list in Redis of the facts that were brought to the worker's subscriber of that name."""
    return f"tests:brought:{name}"


def hang(fact: Fact) -> None:
    client().rpush(brought("hanging"), str(fact.id))
    time.sleep(3600)


def keep(fact: Fact) -> None:
    client().rpush(brought("sound"), str(fact.id))


HANGING = (
    Subscriber("hanging", kinds=ALL, deliver=hang),
    Subscriber("sound", kinds=ALL, deliver=keep),
)
