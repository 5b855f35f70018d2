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
import os
import re
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from statistics import median
from typing import Any

import psutil

RESULTS = Path(__file__).parent / "results" / "against.json"
ROOT = Path(__file__).resolve().parent.parent
# Asked at first, and not counted: the first answers of a desk warm it.
WARM_UP = 6
ANSWER_SECONDS = 120
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
    return {**os.environ, "PYTHONPATH": str(checkout), "PYTHONSAFEPATH": "1"}


async def _measure_one_desk(engine: str) -> dict[str, float]:
    from bench.customers import demo_questions, visitors
    from bench.stacks import running_desk

    with running_desk(
        GLASSDESK_ENGINE=engine, GLASSDESK_SCRIPTED_PAUSE="5", GLASSDESK_AUTOMATIC_ATTRIBUTION="0"
    ) as desk:
        questions = demo_questions(60)
        in_thread = asyncio.to_thread
        await _all_of(desk.host, await in_thread(visitors, desk, questions[:WARM_UP]), 2)
        before = _processor_seconds(desk.pid)
        alone = await _all_of(desk.host, await in_thread(visitors, desk, questions[:ONE_BY_ONE]), 1)
        after = _processor_seconds(desk.pid)
        at_once = await _all_of(desk.host, await in_thread(visitors, desk, questions[:AT_ONCE]), STREAMS)
        key = await in_thread(_key)
        waited, listed, read = await in_thread(_over_rest, desk.host, key, [text for _, text in questions[:WAITED]])
    return {
        "alone_stored_ms": median(stored for stored, _ in alone),
        "alone_total_ms": median(total for _, total in alone),
        "at_once_stored_ms": median(stored for stored, _ in at_once),
        "at_once_total_ms": median(total for _, total in at_once),
        "processor_ms_per_answer": (after - before) / len(alone) * 1000,
        "rest_waited_ms": median(waited),
        "rest_list_ms": median(listed),
        "rest_messages_ms": median(read),
    }


def _key() -> str:
    """An API key of the first demo company, for everything that is measured."""
    from helpdesk.api_keys.domain import MOST_REQUESTS_PER_MINUTE, create_key
    from helpdesk.api_keys.scopes import Scope
    from helpdesk.tenants.models import Tenant

    scopes = [Scope.ANSWERS_WRITE, Scope.CONVERSATIONS_READ, Scope.CONVERSATIONS_WRITE]
    tenant_id = Tenant.objects.get(slug="mossgate").id
    rate = MOST_REQUESTS_PER_MINUTE
    return create_key(tenant_id=tenant_id, name="bench", scopes=scopes, requests_per_minute=rate).text


async def _all_of(host: str, customers: list[tuple[str, str, str]], streams: int) -> list[tuple[float, float]]:
    slots = asyncio.Semaphore(streams)

    async def one(customer: tuple[str, str, str]) -> tuple[float, float]:
        async with slots:
            return await _ask(host, *customer)

    return await asyncio.gather(*(one(each) for each in customers))


@cache
def _ticket(host: str, company: str, _period: int) -> str:
    """What comes with the frame's page; a checkout from before there were tickets asks for none."""
    with urllib.request.urlopen(f"http://{host}/widget/{company}/frame", timeout=30) as response:
        found = re.search('data-ticket="([^"]+)"', response.read().decode())
    return found[1] if found else ""


async def _ask(host: str, company: str, question: str, token: str) -> tuple[float, float]:
    """Milliseconds until the message was stored, and until the answer was there. Raises when it failed.

    Not `bench.asking`: that is the other checkout's here, and both have to be asked in the same way.
    """
    import websockets

    protocols: Any = [
        "glassdesk.v1",
        f"visitor.{token}",
        f"origin.{_ticket(host, company, int(time.monotonic()) // 300)}",
    ]
    uri = f"ws://{host}/ws/widget/{company}/"
    async with websockets.connect(uri, subprotocols=protocols, origin=f"http://{host}") as socket:  # type: ignore[arg-type]
        await socket.recv()
        begun, stored = time.perf_counter(), 0.0
        await socket.send(json.dumps({"type": "message", "client_id": str(uuid.uuid4()), "body": question}))
        async with asyncio.timeout(ANSWER_SECONDS):
            while True:
                frame = json.loads(await socket.recv())
                stored = stored or (time.perf_counter() - begun) * 1000
                if frame["type"] == "failed":
                    raise SystemExit("An answer failed: the figures would say nothing.")
                # An answer may be there before the socket follows its conversation: it then stands in `ready`.
                stands = frame["type"] == "ready" and any(each["author"] == "ai" for each in frame["messages"])
                if frame["type"] == "done" or stands:
                    return stored, (time.perf_counter() - begun) * 1000


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
