"""Which chat model a start serves, and what the person at the terminal reads about it."""

from __future__ import annotations

import io
import os
import runpy
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from helpdesk.embedded import chat_model
from helpdesk.embedded.chat_model import Taken
from helpdesk.embedded.management.commands import up
from helpdesk.embedded.progress import Steps
from helpdesk.embedded.stack import Stack
from inference_worker.engine.weights import checkpoints, hub
from tests.conftest import ROOT

GONE = Taken(None, "maker/model is not served now: the hub cannot be reached. The packaged model is.")


class Start:
    """A start's step that prepares models, with a hub that gives `taken` and conversions that are only noted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, cores: int, cpu_engine: bool = True) -> None:
        self.taken = GONE
        self.asked: list[str] = []
        self.only_free: list[bool] = []
        self.prepared: list[str] = []
        self._folder = tmp_path

        def take(model: str, *_: Any, only_free: bool, **__: Any) -> Taken:
            self.asked.append(model)
            self.only_free.append(only_free)
            return self.taken

        def prepare(name: str) -> Any:
            return lambda *_, **__: self.prepared.append(name)

        monkeypatch.setattr(up.settings, "ENGINE", "vllm")
        monkeypatch.setattr(up, "_is_installed", lambda distribution: cpu_engine)
        monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(cores)))
        monkeypatch.setattr(chat_model, "take", take)
        monkeypatch.setattr(checkpoints, "prepare_chat", prepare("chat"))
        monkeypatch.setattr(checkpoints, "prepare_embeddings", prepare("embeddings"))

    def run(self, **given: str) -> tuple[Stack, str]:
        """The stack behind that step, and what was written."""
        written = io.StringIO()
        stack = Stack(up.plan(given), Steps(Console(file=written, width=400)))
        stack._prepare_checkpoints()
        return stack, written.getvalue()


def test_a_small_machine_asks_no_hub_and_says_what_it_would_bring(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    start = Start(monkeypatch, tmp_path, cores=2)
    stack, written = start.run()
    assert (start.asked, start.prepared) == ([], ["chat", "embeddings"])
    assert stack.environment["GLASSDESK_AUTOMATIC_CHAT_MODEL"] == "packaged"
    assert written.count(hub.STRONGER_HINT) == 1


@pytest.mark.parametrize(("cores", "cpu_engine"), [(8, True), (1, False)])
def test_a_strong_machine_serves_the_hubs_model(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cores: int, cpu_engine: bool
) -> None:
    start = Start(monkeypatch, tmp_path, cores=cores, cpu_engine=cpu_engine)
    start.taken = Taken(tmp_path / "model", "It is served; its licence is maker-research.")
    stack, written = start.run()
    assert (start.asked, start.prepared, start.only_free) == ([hub.STRONGER], ["embeddings"], [True])
    assert stack.environment["GLASSDESK_AUTOMATIC_CHAT_MODEL"] == str(tmp_path / "model")
    assert "its licence is maker-research" in written
    assert hub.STRONGER_HINT not in written


def test_a_hub_that_fails_is_said_once_and_the_packaged_model_served(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    start = Start(monkeypatch, tmp_path, cores=8)
    stack, written = start.run()
    assert start.prepared == ["chat", "embeddings"]
    assert stack.environment["GLASSDESK_AUTOMATIC_CHAT_MODEL"] == "packaged"
    assert written.count(GONE.said) == 1


def test_a_hubs_model_that_somebody_set_is_replaced_for_this_start_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    start = Start(monkeypatch, tmp_path, cores=2)
    stack, written = start.run(GLASSDESK_CHAT_MODEL="maker/model")
    assert (start.asked, start.prepared, start.only_free) == (["maker/model"], ["chat", "embeddings"], [False])
    assert stack._child_environment()["GLASSDESK_CHAT_MODEL"] == "packaged"
    assert [name for name in stack.environment if "CHAT_MODEL" in name] == []
    assert GONE.said in written
    start.taken = Taken(tmp_path / "model", "It is served.")
    again, _ = start.run(GLASSDESK_CHAT_MODEL="maker/model")
    assert "GLASSDESK_CHAT_MODEL" not in again._instead


@pytest.mark.parametrize("setting", ["packaged", "packaged:int8", "/models/own"])
def test_what_somebody_set_wins_on_every_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, setting: str) -> None:
    start = Start(monkeypatch, tmp_path, cores=64, cpu_engine=False)
    stack, written = start.run(GLASSDESK_CHAT_MODEL=setting)
    assert (start.asked, "chat" in start.prepared) == ([], setting == "packaged")
    assert "GLASSDESK_AUTOMATIC_CHAT_MODEL" not in stack.environment
    assert (stack._instead, hub.STRONGER_HINT in written) == ({}, False)


def test_without_a_real_engine_nothing_is_prepared(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    start = Start(monkeypatch, tmp_path, cores=64, cpu_engine=False)
    monkeypatch.setattr(up.settings, "ENGINE", "scripted")
    _stack, written = start.run()
    assert (start.asked, start.prepared, written) == ([], [], "")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "packaged"),
        ({"GLASSDESK_AUTOMATIC_CHAT_MODEL": "/cache/model"}, "/cache/model"),
        ({"GLASSDESK_AUTOMATIC_CHAT_MODEL": "/cache/model", "GLASSDESK_CHAT_MODEL": "packaged"}, "packaged"),
        ({"GLASSDESK_AUTOMATIC_CHAT_MODEL": "/cache/model", "GLASSDESK_CHAT_MODEL": ""}, "/cache/model"),
    ],
)
def test_programs_serve_what_the_start_chose_unless_somebody_set_a_model(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], expected: str
) -> None:
    for name in ("GLASSDESK_AUTOMATIC_CHAT_MODEL", "GLASSDESK_CHAT_MODEL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert runpy.run_path(str(ROOT / "helpdesk" / "settings.py"))["CHAT_MODEL"] == expected
