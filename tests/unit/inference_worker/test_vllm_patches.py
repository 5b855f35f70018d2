"""What is replaced in vLLM is still there, and a version that nobody has tried is refused."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from inference_worker.engine.vllm import patches
from inference_worker.engine.vllm.patches import PATCHES, Patch, end_quietly, untested_version

PACKAGE = Path(__file__).resolve().parents[3] / "inference_worker"


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: f"{patch.module}.{patch.name}")
def test_a_name_that_is_replaced_is_where_it_was(patch: Patch) -> None:
    assert patch.fault() is None


def test_a_name_that_moved_or_changed_is_told() -> None:
    gone = Patch("vllm.envs", "NO_SUCH_VARIABLE", (), "", "")
    elsewhere = Patch("vllm.no_such_module", "anything", (), "", "")
    changed = Patch("vllm.v1.engine.async_llm", "AsyncLLM.shutdown", ("seconds",), "", "")
    assert [each.fault() for each in (gone, elsewhere, changed)] == [
        "vllm.envs.NO_SUCH_VARIABLE is gone",
        "vllm.no_such_module.anything is gone",
        "vllm.v1.engine.async_llm.AsyncLLM.shutdown no longer takes seconds",
    ]


def test_every_module_of_vllm_that_the_extensions_import_from_is_in_the_list() -> None:
    # What is only asked for public things, or is part of a listed one.
    plain = {"vllm", "vllm.platforms", "vllm.scalar_type", "vllm.exceptions", "vllm.sampling_params", "vllm.config"}
    plain |= {
        "vllm.v1.engine.exceptions",
        "vllm.model_executor.layers",
        "vllm.model_executor.layers.quantization.utils",
    }
    plain |= {"vllm.distributed.device_communicators", "vllm.v1.engine", "vllm.v1.executor"}
    text = "\n".join(path.read_text() for path in PACKAGE.rglob("*.py"))
    used = set(re.findall(r"^\s*from (vllm[\w.]*) import", text, re.MULTILINE))
    assert used - plain - {patch.module for patch in PATCHES} == set()


@pytest.mark.parametrize(
    ("installed", "is_refused"),
    [
        ("0.32.0", False),
        ("0.32.0+cpu", False),
        ("0.32.1", True),
        ("0.33.0", True),
        ("0.31.0+cu130", True),
        (None, False),
    ],
)
def test_an_untested_version_is_refused_with_one_sentence(
    monkeypatch: pytest.MonkeyPatch, installed: str | None, is_refused: bool
) -> None:
    monkeypatch.setattr(patches, "_installed", lambda name: installed)
    sentence = untested_version()
    assert (sentence is not None) == is_refused
    if sentence:
        assert (installed in sentence, "0.32.0" in sentence, sentence.count("\n")) == (True, True, 0)


def test_the_installed_version_is_a_tested_one() -> None:
    assert untested_version() is None


class Client:
    shut_down = 0

    def shutdown(self) -> None:
        type(self).shut_down += 1


def test_an_engine_is_shut_down_when_it_is_forgotten() -> None:
    end_quietly(Client)
    client = Client()
    del client
    assert Client.shut_down == 1


def test_a_program_that_holds_an_engine_ends_without_an_error() -> None:
    # `shutdown` uses a function of its module, which is gone when the program ends, as in vLLM.
    program = """
import sys
from inference_worker.engine.vllm.patches import end_quietly
def help_to_shut_down(): pass
class Client:
    def shutdown(self): help_to_shut_down()
end_quietly(Client)
class Holder: pass
holder = Holder()
holder.itself, holder.client = holder, Client()
sys.modules["kept"] = holder
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True, cwd=PACKAGE.parent, timeout=60
    )
    assert (ended.returncode, ended.stderr) == (0, "")
