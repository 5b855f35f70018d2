"""Entries of the streams: the same when they are read as when they were written, and documented member by member."""

from __future__ import annotations

import re
from dataclasses import MISSING, fields
from typing import Any
from uuid import UUID, uuid4

import pytest

from conversations.entries import (
    KINDS,
    AnswerStored,
    InboxChanged,
    MessagePosted,
    PhaseReached,
    ReplyBegun,
    ReplyFailed,
    StatusChanged,
    StreamEntry,
    TextWritten,
    from_plain,
    to_plain,
)
from tests.conftest import ROOT

REPLY, MESSAGE = uuid4(), uuid4()
WRITTEN: list[StreamEntry] = [
    MessagePosted(message_id=MESSAGE),
    ReplyBegun(reply=REPLY, attempt=0, wait_seconds=0),
    ReplyBegun(reply=REPLY, attempt=2),
    PhaseReached(reply=REPLY, attempt=1, phase="writing", format="plain"),
    TextWritten(reply=REPLY, attempt=1, sequence=1, text="Three"),
    AnswerStored(reply=REPLY, attempt=1, message_id=MESSAGE),
    ReplyFailed(reply=REPLY, code="deadline"),
    StatusChanged(),
    InboxChanged(conversation=REPLY),
]


def members(kind: type[StreamEntry]) -> dict[str, bool]:
    """Each member's name, and whether it is always there."""
    return {field.name: field.default is MISSING for field in fields(kind)}


def documented() -> dict[str, dict[str, bool]]:
    """The table of docs/protocol.md."""
    section = (
        (ROOT / "docs/protocol.md").read_text().partition("## What stands in the streams")[2].partition("\n## ")[0]
    )
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    return {
        kind.strip(" `"): {name: not optional for optional, name in re.findall(r"(\[?)`(\w+)`", written)}
        for kind, written in rows
    }


def test_every_kind_and_member_is_documented_and_nothing_else_is() -> None:
    assert documented() == {kind: members(each) for kind, each in KINDS.items()}


@pytest.mark.parametrize("entry", WRITTEN, ids=lambda entry: entry.kind)
def test_an_entry_is_read_as_it_was_written(entry: StreamEntry) -> None:
    assert from_plain(to_plain(entry)) == entry


def test_every_kind_is_tried() -> None:
    assert {entry.kind for entry in WRITTEN} == set(KINDS)


def test_what_is_not_known_is_left_out() -> None:
    assert to_plain(ReplyBegun(reply=REPLY, attempt=0)) == {"type": "reply", "reply": str(REPLY), "attempt": 0}


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"type": "a newer worker's"},
        {"type": ["reply"]},
        {"type": "reply", "attempt": 1},
        {"type": "reply", "reply": "no id", "attempt": 1},
        {"type": "reply", "reply": 7, "attempt": 1},
    ],
)
def test_what_this_process_does_not_know_is_passed_over(data: dict[str, Any]) -> None:
    assert from_plain(data) is None


def test_a_member_that_this_process_does_not_know_is_passed_over() -> None:
    plain = to_plain(ReplyFailed(reply=REPLY, code="deadline")) | {"a_newer": "worker's"}
    assert from_plain(plain) == ReplyFailed(reply=UUID(str(REPLY)), code="deadline")
