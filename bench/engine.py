"""The product beside the bare engine: tokens a second with 1 and 8 customers at once, and what the desk adds.

`make bench` runs it. The product comes first: customers on websockets ask the demo companies' questions, and the traces
tell the exact prompts and token counts. Then the bare engine alone gets the same prompts for as many tokens. Prints one
table and writes bench/results/engine.json.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
import urllib.request
import uuid
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench.stacks import ROOT, Stack, machine, running_desk

RESULTS = Path(__file__).parent / "results" / "engine.json"
QUESTIONS = ROOT / "helpdesk" / "demo" / "content"
COMPANIES = ("mossgate", "ledgerleaf")
ANSWER_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Measured:
    """One customer's answer: milliseconds to the first text and to the end, and the reply's id."""

    first_text_ms: float | None
    total_ms: float
    reply: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--levels", default="1:6,8:24", help="streams:questions, …")
    levels = {
        int(streams): int(count)
        for streams, count in (part.split(":") for part in parser.parse_args().levels.split(","))
    }
    described = machine()
    with running_desk() as desk:
        product, requests, settings = measure_product(desk, levels)
    bare = measure_bare(settings, requests)
    report = compare(product, bare)
    print_table(report)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({**report, "machine": described}, indent=2) + "\n", encoding="utf-8")


def measure_product(desk: Stack, levels: dict[int, int]) -> tuple[dict[int, Any], dict[str, Any], dict[str, Any]]:
    """What customers saw at each level, the engine requests that it took, and the engine's settings."""
    questions = demo_questions(sum(levels.values()))
    figures: dict[int, Any] = {}
    answers: dict[int, list[Measured]] = {}
    for streams, count in levels.items():
        begun = time.perf_counter()
        asked, questions = questions[:count], questions[count:]
        answers[streams] = asyncio.run(ask_all(desk, asked, streams))
        figures[streams] = {"seconds": time.perf_counter() - begun}
    requests, settings = read_traces(desk, answers)
    for streams, measured in answers.items():
        figures[streams] |= {
            "tokens": sum(tokens for _, tokens in requests[str(streams)]),
            "answered": len(requests[str(streams)]),
            "asked": len(measured),
            "first_token_ms": [each.first_text_ms for each in measured if each.first_text_ms is not None],
            "total_ms": [each.total_ms for each in measured],
        }
    return figures, requests, settings


def demo_questions(count: int) -> list[tuple[str, str]]:
    """(company, question), companies and languages mixed, each at most once."""
    piles = []
    for company in COMPANIES:
        given = json.loads((QUESTIONS / company / "questions.json").read_text(encoding="utf-8"))["answerable"]
        piles.append([(company, entry["question"]) for entry in given if entry["language"] == "en"])
    mixed = [pair for pairs in zip(*piles, strict=False) for pair in pairs]
    if len(mixed) < count:
        raise SystemExit(f"The demo content has {len(mixed)} questions; ask for at most as many.")
    return mixed[:count]


async def ask_all(desk: Stack, questions: list[tuple[str, str]], streams: int) -> list[Measured]:
    """Ask them all, each as a new visitor, so many at once."""
    slots = asyncio.Semaphore(streams)

    async def one(company: str, question: str) -> Measured:
        async with slots:
            return await ask(desk, company, question)

    return await asyncio.gather(*(one(*pair) for pair in questions))


async def ask(desk: Stack, company: str, question: str) -> Measured:
    """One question over the widget's protocol."""
    import websockets

    token = await asyncio.to_thread(new_session, desk, company)
    uri = f"ws://{desk.host}/ws/widget/{company}/"
    protocols: Any = ["glassdesk.v1", f"visitor.{token}"]
    async with websockets.connect(uri, subprotocols=protocols, origin=f"http://{desk.host}") as socket:  # type: ignore[arg-type]
        await socket.recv()
        begun, first = time.perf_counter(), None
        await socket.send(json.dumps({"type": "message", "client_id": str(uuid.uuid4()), "body": question}))
        async with asyncio.timeout(ANSWER_SECONDS):
            while True:
                frame = json.loads(await socket.recv())
                if frame["type"] == "delta" and first is None:
                    first = (time.perf_counter() - begun) * 1000
                if frame["type"] in {"done", "failed"}:
                    return Measured(first, (time.perf_counter() - begun) * 1000, frame["reply"])


def new_session(desk: Stack, company: str) -> str:
    """A new visitor's token."""
    address = f"http://{desk.host}/widget/{company}/session"
    request = urllib.request.Request(address, method="POST", headers={"Origin": f"http://{desk.host}"}, data=b"")
    with urllib.request.urlopen(request, timeout=30) as response:
        return str(json.load(response)["token"])


def read_traces(desk: Stack, answers: dict[int, list[Measured]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Per level the prompts with their numbers of answer tokens (refusals never reach the engine), from the traces."""
    os.environ |= desk.environment | {"DJANGO_SETTINGS_MODULE": "helpdesk.settings"}
    import django

    django.setup()
    from django.conf import settings

    from helpdesk.tenants.models import Tenant
    from helpdesk.tenants.scope import tenant_atomic
    from inference_worker.models import resolve_model
    from tracing.models import Trace
    from tracing.read import open_trace_from_shell

    levels = {each.reply: str(streams) for streams, measured in answers.items() for each in measured}
    requests: dict[str, list[Any]] = {str(streams): [] for streams in answers}
    for company in COMPANIES:
        with tenant_atomic(Tenant.objects.get(slug=company).id):
            for trace in Trace.objects.filter(reply_id__in=levels).select_related("key"):
                content = open_trace_from_shell(trace=trace, reason="benchmark of the engine")
                if content.prompt and content.tokens:
                    level = requests[levels[str(trace.reply_id)]]
                    level.append((list(content.prompt.token_ids), len(content.tokens)))
    return requests, {
        "model": resolve_model(settings.CHAT_MODEL, settings.CACHE_DIR).location,
        "max_model_len": settings.ENGINE_MAX_MODEL_LEN,
        "max_num_seqs": settings.ENGINE_MAX_SEQUENCES,
        "kv_cache_gib": settings.ENGINE_KV_CACHE_GIB,
    }


def measure_bare(settings: dict[str, Any], requests: dict[str, Any]) -> dict[int, Any]:
    """The same prompts on the engine alone, with as many threads as the product gives it."""
    from helpdesk.embedded.children import engine_threads

    environment = {**os.environ}
    environment.setdefault("OMP_NUM_THREADS", str(engine_threads(os.cpu_count() or 1)))
    outcome = subprocess.run(
        [sys.executable, "-m", "bench.bare_engine"],
        input=json.dumps({**settings, "levels": requests}),
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
        check=False,
    )
    if outcome.returncode:
        raise SystemExit("The bare engine failed:\n" + outcome.stderr[-2000:])
    figures = json.loads(outcome.stdout.strip().splitlines()[-1])
    return {int(streams): value for streams, value in figures.items()}


def compare(product: dict[int, Any], bare: dict[int, Any]) -> dict[str, Any]:
    """Ratios first; the raw figures below."""
    report: dict[str, Any] = {}
    for streams, ours in product.items():
        theirs = bare[streams]
        report[f"product_over_bare_{streams}"] = round(_rate(ours) / _rate(theirs), 3)
    one = min(product)
    report["ttft_over_bare_ms_p50"] = round(
        median(product[one]["first_token_ms"]) - median(bare[one]["first_token_ms"]), 1
    )
    for name, figures in (("product", product), ("bare", bare)):
        for streams, value in figures.items():
            report[f"{name}_{streams}"] = {
                "tokens_per_second": round(_rate(value), 2),
                "tokens": value["tokens"],
                "seconds": round(value["seconds"], 2),
                "first_token_ms_p50": round(median(value["first_token_ms"]), 1),
                **({"total_ms_p50": round(median(value["total_ms"]), 1)} if "total_ms" in value else {}),
                **({"asked": value["asked"], "answered": value["answered"]} if "asked" in value else {}),
            }
    return report


def _rate(figures: dict[str, Any]) -> float:
    return float(figures["tokens"] / figures["seconds"])


def print_table(report: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("", "tokens/s", "tokens", "seconds", "first token ms p50", title="The product beside the bare engine")
    for name, value in report.items():
        if isinstance(value, dict):
            table.add_row(
                name.replace("_", ", streams: "),
                *(str(value[key]) for key in ("tokens_per_second", "tokens", "seconds", "first_token_ms_p50")),
            )
    console = Console()
    console.print(table)
    for name, value in report.items():
        if not isinstance(value, dict):
            console.print(f"{name:<26} {value}")


if __name__ == "__main__":
    main()
