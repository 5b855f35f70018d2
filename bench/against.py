"""This checkout beside an earlier one, on the same machine in the same run: is anything slower now?

`python -m bench.against --other PATH` starts whole desks of both in turns (the scripted engine by default: what is measured
is the desk around it) and asks each the same things from outside: over the widget's socket one after the other and many at
once, over REST waiting, and pages of the API. `PATH` is a checkout with its environment, such as a `git worktree` of an
earlier commit with `.venv` linked. Prints medians and the ratio of each; writes bench/results/against.json.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import psutil

RESULTS = Path(__file__).parent / "results" / "against.json"
ROOT = Path(__file__).resolve().parent.parent
# Asked at first, and not counted: the first answers of a desk warm it.
WARM_UP = 6
ONE_BY_ONE, AT_ONCE, STREAMS, WAITED, PAGES = 40, 60, 16, 20, 60


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--other", type=Path, help="a checkout of an earlier commit")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--engine", choices=("scripted", "vllm"), default="scripted")
    parser.add_argument("--one-desk", action="store_true", help="measure the checkout of the working folder alone")
    options = parser.parse_args()
    if options.one_desk:
        print(json.dumps(asyncio.run(_measure_one_desk(options.engine))))
        return
    if options.other is None:
        parser.error("--other is needed")
    rounds: dict[str, list[dict[str, float]]] = {"before": [], "now": []}
    for _ in range(options.rounds):
        for name, checkout in {"before": options.other.resolve(), "now": ROOT}.items():
            rounds[name].append(_figures_of(checkout, options.engine))
            print(name, json.dumps(rounds[name][-1]), flush=True)
    table = {
        figure: {
            "before": round(median(each[figure] for each in rounds["before"]), 2),
            "now": round(median(each[figure] for each in rounds["now"]), 2),
            "ratio": round(_ratio(rounds, figure), 3),
        }
        for figure in rounds["now"][0]
    }
    commits = {"before": _commit(options.other), "now": _commit(ROOT)}
    report = {"engine": options.engine, "rounds": options.rounds, "commits": commits, "figures": table}
    RESULTS.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=2))


def _ratio(rounds: dict[str, list[dict[str, float]]], figure: str) -> float:
    return median(each[figure] for each in rounds["now"]) / median(each[figure] for each in rounds["before"])


def _commit(checkout: Path) -> str:
    command = ["git", "-C", str(checkout), "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _figures_of(checkout: Path, engine: str) -> dict[str, float]:
    """Run this very file in the other checkout, with that one's code."""
    ended = subprocess.run(
        [sys.executable, str(Path(__file__).resolve()), "--one-desk", "--engine", engine],
        cwd=checkout,
        env=_environment(checkout),
        check=True,
        capture_output=True,
        text=True,
    )
    figures: dict[str, float] = json.loads(ended.stdout.splitlines()[-1])
    return figures


def _environment(checkout: Path) -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": str(checkout), "PYTHONSAFEPATH": "1"}


async def _measure_one_desk(engine: str) -> dict[str, float]:
    from bench.asking import all_of, widget_customers
    from bench.customers import api_keys, demo_questions
    from bench.stacks import running_desk

    with running_desk(
        GLASSDESK_ENGINE=engine, GLASSDESK_SCRIPTED_PAUSE="5", GLASSDESK_AUTOMATIC_ATTRIBUTION="0"
    ) as desk:
        questions = demo_questions(60)
        in_thread = asyncio.to_thread
        await all_of(await in_thread(widget_customers, desk, questions[:WARM_UP]), 2)
        before = _processor_seconds(desk.pid)
        alone = await all_of(await in_thread(widget_customers, desk, questions[:ONE_BY_ONE]), 1)
        after = _processor_seconds(desk.pid)
        crowded = await all_of(await in_thread(widget_customers, desk, questions[:AT_ONCE]), STREAMS)
        key = (await in_thread(api_keys, desk))["mossgate"]
        waited, listed, read = await in_thread(_over_rest, desk.host, key, [text for _, text in questions[:WAITED]])
    outcomes = {each.outcome for each in (*alone, *crowded)}
    if "failed" in outcomes:
        raise SystemExit("An answer failed: the figures would say nothing.")
    return {
        "alone_first_text_ms": median(each.first_text_ms or each.total_ms for each in alone),
        "alone_total_ms": median(each.total_ms for each in alone),
        "at_once_total_ms": median(each.total_ms for each in crowded),
        "processor_ms_per_answer": (after - before) / len(alone) * 1000,
        "rest_waited_ms": median(waited),
        "rest_list_ms": median(listed),
        "rest_messages_ms": median(read),
    }


def _over_rest(host: str, key: str, questions: list[str]) -> tuple[list[float], list[float], list[float]]:
    """Milliseconds of: an answer that the request waits for, a page of conversations, a page of messages."""
    import httpx

    with httpx.Client(
        base_url=f"http://{host}/api/v1", headers={"Authorization": f"Bearer {key}"}, timeout=120
    ) as client:
        begun = client.post("/conversations", json={})
        begun.raise_for_status()
        messages = f"/conversations/{begun.json()['id']}/messages"
        waited = [_milliseconds(partial(client.post, messages, json={"body": text, "wait": 20})) for text in questions]
        listed = [_milliseconds(partial(client.get, "/conversations")) for _ in range(PAGES)]
        read = [_milliseconds(partial(client.get, messages)) for _ in range(PAGES)]
    return waited, listed, read


def _milliseconds(send: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    send().raise_for_status()
    return (time.perf_counter() - begun) * 1000


def _processor_seconds(pid: int) -> float:
    """Of the desk's processes, all together."""
    processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return float(sum(sum(process.cpu_times()[:2]) for process in processes))


if __name__ == "__main__":
    main()
