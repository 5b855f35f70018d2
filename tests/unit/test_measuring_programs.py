"""The measuring programs in bench/ can be started; what they measure is no test."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"
NEEDS_MORE = {"context_cite"}  # runs in an environment of its own (bench/context-cite.txt)


NAMES = {".".join(path.relative_to(BENCH).with_suffix("").parts) for path in BENCH.rglob("*.py")}


@pytest.mark.parametrize("name", sorted(name for name in NAMES - NEEDS_MORE if not name.endswith("__init__")))
def test_a_measuring_program_finds_all_that_it_imports(name: str) -> None:
    assert importlib.import_module(f"bench.{name}")
