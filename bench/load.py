"""Many sockets on one web process: 500 customers who only keep the widget open, 50 who ask at the same time.

`make bench-load` runs it. Tells the memory of the web process for each idle socket, whether every delta came once and in
order, whether the text as streamed is the text that was stored, and how long customers waited. The engine is the
scripted one unless `--engine vllm` is given: what is measured is the web process. Writes bench/results/load.json.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
import uuid
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import psutil

from bench.customers import demo_questions, subprotocols, visitors, waiting_visitors
from bench.stacks import Stack, machine, running_desk

RESULTS = Path(__file__).parent / "results" / "load.json"
ANSWER_SECONDS = 90
SETTLE_SECONDS = 3.0


@dataclass(slots=True)
class Watched:
    """What one asking customer's socket received."""

    first_text_ms: float | None = None
    total_ms: float = 0.0
    faults: list[str] = field(default_factory=list)
    outcome: str = "lost"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--idle", type=int, default=500)
    parser.add_argument("--active", type=int, default=50)
    parser.add_argument("--engine", choices=("scripted", "vllm"), default="scripted")
    options = parser.parse_args()
    described = machine()
    with running_desk(
        GLASSDESK_ENGINE=options.engine,
        GLASSDESK_SCRIPTED_PAUSE="30",
        GLASSDESK_ANSWER_CACHE_TTL="0",
        GLASSDESK_AUTOMATIC_ATTRIBUTION="0",
    ) as desk:
        report = asyncio.run(measure(desk, options.idle, options.active))
    report = {**report, "engine": options.engine, "machine": described}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=2))
    if report["faults"] or report["lost"]:
        raise SystemExit("Some answers were lost or came out of order.")


async def measure(desk: Stack, idle: int, active: int) -> dict[str, Any]:
    """Open the idle sockets, then let the active ones ask all at once."""
    web = web_process(desk)
    tokens = await asyncio.to_thread(waiting_visitors, desk, idle)
    async with AsyncExitStack() as sockets:
        before = web.memory_info().rss
        begun = time.perf_counter()
        for company, token in tokens:
            socket = await sockets.enter_async_context(connect(desk, company, token))
            await socket.recv()
        opened = time.perf_counter() - begun
        await asyncio.sleep(SETTLE_SECONDS)
        with_idle = web.memory_info().rss
        asking = await asyncio.to_thread(visitors, desk, demo_questions(active))
        begun = time.perf_counter()
        watched = await asyncio.gather(*(ask(desk, *each) for each in asking))
        seconds = time.perf_counter() - begun
        after = web.memory_info().rss
    first = [each.first_text_ms for each in watched if each.first_text_ms is not None]
    return {
        "idle_sockets": idle,
        "active_sockets": active,
        "bytes_per_idle_socket": round((with_idle - before) / idle),
        "web_mib_before": round(before / 2**20, 1),
        "web_mib_with_idle": round(with_idle / 2**20, 1),
        "web_mib_after": round(after / 2**20, 1),
        "opening_seconds": round(opened, 2),
        "answering_seconds": round(seconds, 2),
        "first_text_ms_p50": round(median(first), 1),
        "first_text_ms_p95": round(quantiles(first, n=20, method="inclusive")[-1], 1),
        "outcomes": {name: sum(each.outcome == name for each in watched) for name in {e.outcome for e in watched}},
        "lost": sum(each.outcome in {"lost", "failed"} for each in watched),
        "faults": [fault for each in watched for fault in each.faults],
    }


def connect(desk: Stack, company: str, token: str) -> Any:
    """The widget's socket."""
    import websockets

    protocols: Any = subprotocols(desk.host, company, token)
    return websockets.connect(
        f"ws://{desk.host}/ws/widget/{company}/",
        subprotocols=protocols,
        origin=f"http://{desk.host}",  # type: ignore[arg-type]
        open_timeout=60,
    )


async def ask(desk: Stack, company: str, question: str, token: str) -> Watched:
    """Ask one question and check every entry of its stream."""
    seen, text, sequence, cursor = Watched(), "", 0, (0, 0)
    async with connect(desk, company, token) as socket:
        await socket.recv()
        begun = time.perf_counter()
        await socket.send(json.dumps({"type": "message", "client_id": str(uuid.uuid4()), "body": question}))
        kinds: list[str] = []
        while True:
            try:
                frame = json.loads(await asyncio.wait_for(socket.recv(), ANSWER_SECONDS))
            except TimeoutError:
                seen.faults.append(f"nothing came after {', '.join(kinds[-4:])}")
                return seen
            kinds.append(frame["type"])
            if "id" in frame:
                milliseconds, number = (int(part) for part in frame["id"].split("-"))
                if (milliseconds, number) <= cursor:
                    seen.faults.append(f"entry {frame['id']} came late or twice")
                cursor = (milliseconds, number)
            if frame["type"] == "ready":
                # The whole transcript: what is being written follows from its first delta, what is written stands in it.
                text, sequence = "", 0
                if answers := [each for each in frame["messages"] if each["author"] == "ai"]:
                    seen.total_ms = (time.perf_counter() - begun) * 1000
                    seen.outcome = answers[-1]["outcome"]
                    return seen
            elif frame["type"] == "delta":
                seen.first_text_ms = seen.first_text_ms or (time.perf_counter() - begun) * 1000
                if frame["sequence"] != sequence + 1:
                    seen.faults.append(f"delta {frame['sequence']} came after {sequence}")
                sequence, text = frame["sequence"], text + frame["text"]
            elif frame["type"] in {"done", "failed", "error"}:
                seen.total_ms = (time.perf_counter() - begun) * 1000
                seen.outcome = frame["message"]["outcome"] if frame["type"] == "done" else "failed"
                if seen.outcome == "answered" and text.strip() != frame["message"]["body"].strip():
                    seen.faults.append("the streamed text is not the stored one")
                return seen


def web_process(desk: Stack) -> psutil.Process:
    """The one that listens on the desk's port."""
    port = int(desk.host.rpartition(":")[2])
    for connection in psutil.net_connections("tcp"):
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
            return psutil.Process(connection.pid)
    raise SystemExit(f"No process listens on port {port}.")


if __name__ == "__main__":
    main()
