"""What one company waits while another floods the desk: seconds to the first text, alone and beside the flood.

`python -m bench.fairness` starts a desk of its own. One company's visitors keep its queue full; another company's visitor
asks one question after the other. Prints one table and writes bench/results/fairness.json.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
import uuid
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from bench.asking import ask
from bench.customers import english_questions, subprotocols, visitors
from bench.stacks import Stack, machine, running_desk

RESULTS = Path(__file__).parent / "results" / "fairness.json"
FLOODING, MEASURED = "mossgate", "ledgerleaf"
FLOODING_VISITORS = 4
SETTLE_SECONDS = 3.0
BUSY_PAUSE_SECONDS = 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=10, help="measured questions, alone and beside the flood")
    parser.add_argument("--flood", type=int, default=40, help="questions that the other company keeps in flight")
    options = parser.parse_args()
    described = machine()
    # The flood must be bounded by the queue, not by the limit of each visitor.
    with running_desk(
        GLASSDESK_VISITOR_MESSAGES_PER_MINUTE="100000",
        GLASSDESK_ANSWER_CACHE_TTL="0",
        GLASSDESK_AUTOMATIC_ATTRIBUTION="0",
    ) as desk:
        figures = asyncio.run(measure(desk, options.questions, options.flood))
    report = {**figures, "engine": os.environ.get("GLASSDESK_ENGINE", "vllm"), "machine": described}
    print_table(report)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


async def measure(desk: Stack, count: int, flood: int) -> dict[str, Any]:
    """The measured company's waits, first alone, then while the other's queue is kept full."""
    questions = english_questions(MEASURED)[:count]
    await first_text_seconds(desk, questions[:1])  # the first question of all finds caches empty
    alone = await first_text_seconds(desk, questions)
    answered: list[float] = []
    flooding = [
        asyncio.create_task(keep_full(desk, flood // FLOODING_VISITORS, answered)) for _ in range(FLOODING_VISITORS)
    ]
    try:
        await asyncio.sleep(SETTLE_SECONDS)
        before, begun = len(answered), time.monotonic()
        beside = await first_text_seconds(desk, questions)
        during, seconds = len(answered) - before, time.monotonic() - begun
    finally:
        for task in flooding:
            task.cancel()
        await asyncio.gather(*flooding, return_exceptions=True)
    return {
        "wait_ratio_p50": round(median(beside) / median(alone), 2),
        "alone": summary(alone),
        "beside_the_flood": summary(beside),
        "flood": {
            "in_flight": flood,
            "answers": during,
            "answers_per_second": round(during / seconds, 2),
            "seconds_p50": round(median(answered), 3) if answered else None,
        },
    }


async def first_text_seconds(desk: Stack, questions: list[str]) -> list[float]:
    """One question after the other, each by a new visitor; refusals show no text and count to their end."""
    waits = []
    for each in await asyncio.to_thread(visitors, desk, [(MEASURED, question) for question in questions]):
        measured = await ask(desk, *each)
        waits.append((measured.first_text_ms or measured.total_ms) / 1000)
    return waits


async def keep_full(desk: Stack, in_flight: int, answered: list[float]) -> None:
    """One visitor who asks again as soon as an answer has come, and notes how long each took."""
    import websockets

    questions = english_questions(FLOODING)
    [(_, _, token)] = await asyncio.to_thread(visitors, desk, [(FLOODING, questions[0])])
    uri = f"ws://{desk.host}/ws/widget/{FLOODING}/"
    protocols: Any = subprotocols(desk.host, FLOODING, token)
    sent: list[float] = []
    async with websockets.connect(uri, subprotocols=protocols, origin=f"http://{desk.host}") as socket:  # type: ignore[arg-type]

        async def post() -> None:
            body = questions[len(sent) % len(questions)]
            sent.append(time.monotonic())
            await socket.send(json.dumps({"type": "message", "client_id": str(uuid.uuid4()), "body": body}))

        for _ in range(in_flight):
            await post()
        async for raw in socket:
            kind = json.loads(raw)["type"]
            if kind in {"done", "failed"}:
                answered.append(time.monotonic() - sent[len(sent) - in_flight])
            if kind == "error":
                await asyncio.sleep(BUSY_PAUSE_SECONDS)
            if kind in {"done", "failed", "error"}:
                await post()


def summary(seconds: list[float]) -> dict[str, float]:
    """Median, 95th percentile and the longest of the seconds to the first text."""
    tail = quantiles(seconds, n=20, method="inclusive")[-1] if len(seconds) > 1 else seconds[0]
    return {
        "first_text_p50": round(median(seconds), 3),
        "first_text_p95": round(tail, 3),
        "first_text_longest": round(max(seconds), 3),
        "questions": len(seconds),
    }


def print_table(report: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("", "first text s p50", "p95", "longest", "questions", title="One company beside another's flood")
    for name in ("alone", "beside_the_flood"):
        table.add_row(name.replace("_", " "), *(str(value) for value in report[name].values()))
    console = Console()
    console.print(table)
    console.print(f"ratio of the medians {report['wait_ratio_p50']}; flood {report['flood']}")


if __name__ == "__main__":
    main()
