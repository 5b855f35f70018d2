"""How much slower answers become beside other programs on the machine: a desk beside no, one and two busy loops.

`python -m bench.busy` starts a desk of its own and asks one question after the other, round by round, beside each number of
loops. With two cores of which one loop wants one, an answer cannot be better than .5 to 1 times as fast. Prints one
table and writes bench/results/busy.json.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from bench.asking import Measured, ask
from bench.customers import demo_questions, visitors
from bench.stacks import Stack, machine, running_desk

RESULTS = Path(__file__).parent / "results" / "busy.json"
NOT_MEASURED = 2
LOOP = "while True: pass"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loops", default="0,1,2", help="numbers of busy loops; default %(default)s")
    parser.add_argument("--questions", type=int, default=6, help="in each round, after two that are not measured")
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    levels = [int(count) for count in options.loops.split(",")]
    described = machine()
    with running_desk(GLASSDESK_ANSWER_CACHE_TTL="0", GLASSDESK_AUTOMATIC_ATTRIBUTION="0") as desk:
        each = options.questions + NOT_MEASURED
        # No question twice: what was read a moment ago is not read again, but written.
        questions = iter(demo_questions((1 + options.rounds * len(levels)) * each))
        asyncio.run(answers(desk, list(islice(questions, each))))  # the first questions of all find caches empty
        measured: dict[int, list[Measured]] = {count: [] for count in levels}
        for _ in range(options.rounds):
            for count in levels:
                with busy_loops(count):
                    measured[count] += asyncio.run(answers(desk, list(islice(questions, each))))[NOT_MEASURED:]
    report: dict[str, Any] = {"machine": described, "levels": [summary(count, measured[count]) for count in levels]}
    for level in report["levels"]:
        level["ratio_to_idle"] = round(level["total_p50"] / report["levels"][0]["total_p50"], 2)
    print_table(report)
    RESULTS.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


async def answers(desk: Stack, questions: list[tuple[str, str]]) -> list[Measured]:
    """One question after the other, each by a new visitor."""
    return [await ask(desk, *each) for each in await asyncio.to_thread(visitors, desk, questions)]


@contextmanager
def busy_loops(count: int) -> Iterator[None]:
    """So many programs that want a processor all the time."""
    loops = [subprocess.Popen([sys.executable, "-c", LOOP]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def summary(loops: int, measured: list[Measured]) -> dict[str, Any]:
    """Seconds to the first text and to the end of the answers."""
    first = [each.first_text_ms / 1000 for each in measured if each.first_text_ms is not None]
    total = [each.total_ms / 1000 for each in measured]
    return {
        "loops": loops,
        "answers": len(measured),
        "failed": sum(each.outcome == "failed" for each in measured),
        "first_text_p50": round(median(first), 2) if first else None,
        "total_p50": round(median(total), 2),
        "total_longest": round(max(total), 2),
    }


def print_table(report: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("busy loops", "first text s p50", "answer s p50", "longest", "ratio to idle", "failed", "answers")
    for level in report["levels"]:
        names = ("loops", "first_text_p50", "total_p50", "total_longest", "ratio_to_idle", "failed", "answers")
        table.add_row(*(str(level[name]) for name in names))
    Console().print(table)


if __name__ == "__main__":
    main()
