"""Who is notified of facts. The list stands in helpdesk/subscribers.py, above all apps, and is named by a setting."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from helpdesk.facts.kinds import FactKind
from helpdesk.facts.models import Fact


def _always(_fact: Fact) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Subscriber:
    """One that is notified of facts of these kinds.

    `deliver` may be called again with the same fact, must then change nothing (by the fact's id), and raises when the fact
    has to be brought again. It runs in the tenant's scope, and what it writes to the database commits with the
    acknowledgement. `takes` looks closer, when the fact is recorded. A prompt one is notified by the process that records the
    fact, right after the commit: it has to be as quick and as near as Redis. The others are notified by the relay.
    """

    name: str
    kinds: frozenset[FactKind]
    deliver: Callable[[Fact], None]
    takes: Callable[[Fact], bool] = _always
    is_prompt: bool = False

    def wants(self, fact: Fact) -> bool:
        """Whether the fact is owed to it."""
        return fact.kind in self.kinds and self.takes(fact)


def subscribers() -> tuple[Subscriber, ...]:
    """All of them, in the order of the list."""
    return _list_at(settings.FACT_SUBSCRIBERS)


def subscriber_named(name: str) -> Subscriber | None:
    """The subscriber of that name; None when it was taken off the list."""
    return next((each for each in subscribers() if each.name == name), None)


def prompt_subscribers(names: Iterable[str]) -> list[Subscriber]:
    """Those of these names that are notified right after the commit."""
    wanted = set(names)
    return [each for each in subscribers() if each.is_prompt and each.name in wanted]


@cache
def _list_at(path: str) -> tuple[Subscriber, ...]:
    found: tuple[Subscriber, ...] = import_string(path)
    return found
