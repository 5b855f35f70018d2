"""Other programs that answer the product's prompts: each in a process of its own that is asked level by level.

A program reads one JSON object from each line of its standard input: first its settings, with {"warm_up": requests}, then
{"streams": number, "requests": requests}; a request is [token ids, number of answer tokens]. It answers each with a line.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench.stacks import ROOT

# Libraries print lines of their own.
MARK = "figures: "


class Program:
    """One of them, loaded and warm."""

    def __init__(self, module: str, settings: dict[str, Any]) -> None:
        from helpdesk.embedded.children import engine_threads

        environment = {**os.environ}
        environment.setdefault("OMP_NUM_THREADS", str(engine_threads(os.cpu_count() or 1)))
        self._module = module
        self._process = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
            env=environment,
        )
        self.about = self.ask(settings)

    def ask(self, job: dict[str, Any]) -> dict[str, Any]:
        """Put one job and wait for what came of it."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            if line.startswith(MARK):
                figures: dict[str, Any] = json.loads(line.removeprefix(MARK))
                return figures
        raise SystemExit(f"{self._module} ended. Run it by hand to see why: python -m {self._module}")

    def close(self) -> None:
        """Let it end by itself: its input ends."""
        self._process.communicate()


@contextmanager
def running(module: str, settings: dict[str, Any]) -> Iterator[Program]:
    """The program for as long as it is needed."""
    program = Program(module, settings)
    try:
        yield program
    finally:
        program.close()


def jobs() -> Iterator[dict[str, Any]]:
    """In the program: what it is asked."""
    for line in sys.stdin:
        yield json.loads(line)


def report(figures: dict[str, Any]) -> None:
    """In the program: what came of it."""
    print("\n" + MARK + json.dumps(figures), flush=True)
