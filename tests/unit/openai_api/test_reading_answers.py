"""An answer that is written is not lost because the database is away at the moment when it is to be read."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from django.db import OperationalError

from openai_api import streaming
from openai_api.errors import AnswerFailed
from openai_api.following import Ended
from openai_api.streaming import Exchange

EXCHANGE = cast(
    Exchange,
    SimpleNamespace(client=None, request=SimpleNamespace(logprobs=None), asked=SimpleNamespace(replies=[None])),
)


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What the next readings come to."""
    outcomes: list[object] = []

    async def read(*_: object, **__: object) -> Any:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(streaming, "in_database", read)
    monkeypatch.setattr(streaming, "RETRY_SECONDS", 0.0)
    return outcomes


async def test_it_is_read_again_when_the_database_is_back(readings: list[object]) -> None:
    readings[:] = [OperationalError(), OperationalError(), "the answer"]
    assert await streaming._read(EXCHANGE, 0, Ended()) == "the answer"


async def test_nobody_waits_for_ever(readings: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "GRACE_SECONDS", -1.0)
    readings[:] = [OperationalError(), "too late"]
    with pytest.raises(OperationalError):
        await streaming._read(EXCHANGE, 0, Ended())


async def test_a_failed_reply_is_not_read(readings: list[object]) -> None:
    with pytest.raises(AnswerFailed):
        await streaming._read(EXCHANGE, 0, Ended("engine"))
