"""The product beside the bare engine and beside a naive server, with 1, 4, 8 and 16 customers at once.

`make bench` runs it. The product comes first: customers on websockets ask the demo companies' questions, and the traces
tell the exact prompts and token counts. Then the bare engine, and after it the same model in `transformers` with static
batches (bench/naive_server.py), get the same prompts for as many tokens, each alone on the machine with as many threads.
Prints one table and writes bench/results/engine.json. Answers are not given again from the cache and causes are not
measured meanwhile, so that engines are compared and not savings.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
import uuid
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from bench.customers import COMPANIES, demo_questions, visitors
from bench.processor_time import difference, processor_seconds
from bench.stacks import ROOT, Stack, machine, running_desk

RESULTS = Path(__file__).parent / "results" / "engine.json"
ANSWER_SECONDS = 300
# What stands for the number of streams of the requests that are not measured.
WARM_UP = 0
AS_MEASURED = ("asked", "answered", "refused", "lost", "processor_seconds", "steps_ms_p50")


@dataclass(frozen=True, slots=True)
class Measured:
    """One customer's answer: milliseconds to the first text, to the end and between pieces of text; its reply.

    `outcome` is the answer's, or "failed".
    """

    first_text_ms: float | None
    total_ms: float
    reply: str
    gaps_ms: list[float]
    outcome: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--levels", default="1:8,4:16,8:24,16:32", help="streams:questions, …")
    levels = {
        int(streams): int(count)
        for streams, count in (part.split(":") for part in parser.parse_args().levels.split(","))
    }
    described = machine()
    with running_desk(GLASSDESK_ANSWER_CACHE_TTL="0", GLASSDESK_AUTOMATIC_ATTRIBUTION="0") as desk:
        product, requests, settings = measure_product(desk, levels)
    warm_up = requests.pop(str(WARM_UP))
    bare = levels_of(measure("bench.bare_engine", {**settings, "warm_up": warm_up, "levels": requests}))
    naive = measure("bench.naive_server", {"model": naive_model(), "warm_up": warm_up, "levels": requests})
    report = compare(product, bare, levels_of(naive["levels"])) | {"naive_precision": naive["precision"]}
    print_table(report)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({**report, "machine": described}, indent=2) + "\n", encoding="utf-8")


def measure_product(desk: Stack, levels: dict[int, int]) -> tuple[dict[int, Any], dict[str, Any], dict[str, Any]]:
    """What customers saw at each level, the engine requests that it took, and the engine's settings."""
    questions = demo_questions(sum(levels.values()) + len(COMPANIES))
    first, questions = questions[: len(COMPANIES)], questions[len(COMPANIES) :]
    # The first question to each company finds caches empty; the others get the same requests before they are measured.
    answers: dict[int, list[Measured]] = {WARM_UP: asyncio.run(ask_all(desk, visitors(desk, first), 1))}
    figures: dict[int, Any] = {}
    for streams, count in levels.items():
        asked, questions = questions[:count], questions[count:]
        customers = visitors(desk, asked)
        begun, used = time.perf_counter(), processor_seconds(desk.pid)
        answers[streams] = asyncio.run(ask_all(desk, customers, streams))
        figures[streams] = {
            "seconds": time.perf_counter() - begun,
            "processor_seconds": difference(used, processor_seconds(desk.pid)),
        }
    requests, steps, settings = read_traces(desk, answers)
    for streams in levels:
        measured = answers[streams]
        figures[streams] |= {
            "tokens": sum(tokens for _, tokens in requests[str(streams)]),
            "answered": len(requests[str(streams)]),
            "asked": len(measured),
            "refused": sum(each.outcome == "refused" for each in measured),
            "lost": sum(each.outcome == "failed" for each in measured),
            "first_token_ms": [each.first_text_ms for each in measured if each.first_text_ms is not None],
            "total_ms": [each.total_ms for each in measured],
            "steps_ms_p50": {name: round(median(values), 1) for name, values in steps[streams].items()},
            "between_tokens_ms": [gap for each in measured for gap in each.gaps_ms],
        }
    return figures, requests, settings


async def ask_all(desk: Stack, questions: list[tuple[str, str, str]], streams: int) -> list[Measured]:
    """Ask them all, each as a new visitor, so many at once."""
    slots = asyncio.Semaphore(streams)

    async def one(company: str, question: str, token: str) -> Measured:
        async with slots:
            return await ask(desk, company, question, token)

    return await asyncio.gather(*(one(*each) for each in questions))


async def ask(desk: Stack, company: str, question: str, token: str) -> Measured:
    """One question over the widget's protocol."""
    import websockets

    uri = f"ws://{desk.host}/ws/widget/{company}/"
    protocols: Any = ["glassdesk.v1", f"visitor.{token}"]
    async with websockets.connect(uri, subprotocols=protocols, origin=f"http://{desk.host}") as socket:  # type: ignore[arg-type]
        await socket.recv()
        begun = time.perf_counter()
        times: list[float] = []
        await socket.send(json.dumps({"type": "message", "client_id": str(uuid.uuid4()), "body": question}))
        async with asyncio.timeout(ANSWER_SECONDS):
            while True:
                frame = json.loads(await socket.recv())
                if frame["type"] == "delta":
                    times.append((time.perf_counter() - begun) * 1000)
                if frame["type"] in {"done", "failed"}:
                    return Measured(
                        first_text_ms=times[0] if times else None,
                        total_ms=(time.perf_counter() - begun) * 1000,
                        reply=frame["reply"],
                        gaps_ms=[later - earlier for earlier, later in pairwise(times)],
                        outcome=frame["message"]["outcome"] if frame["type"] == "done" else "failed",
                    )


def read_traces(
    desk: Stack, answers: dict[int, list[Measured]]
) -> tuple[dict[str, Any], dict[int, dict[str, list[float]]], dict[str, Any]]:
    """Per level the prompts with their numbers of answer tokens (refusals never reach the engine), and what each step of
    those answers took in milliseconds; from the traces. Last the engine's settings.
    """
    desk.connect()
    from django.conf import settings

    from helpdesk.tenants.models import Tenant
    from helpdesk.tenants.scope import tenant_atomic
    from inference_worker.models import resolve_model
    from tracing.models import Trace
    from tracing.read import open_trace_from_shell

    levels = {each.reply: str(streams) for streams, measured in answers.items() for each in measured}
    requests: dict[str, list[Any]] = {str(streams): [] for streams in answers}
    steps: dict[int, dict[str, list[float]]] = {streams: defaultdict(list) for streams in answers}
    for company in COMPANIES:
        with tenant_atomic(Tenant.objects.get(slug=company).id):
            for trace in Trace.objects.filter(reply_id__in=levels).select_related("key"):
                content = open_trace_from_shell(trace=trace, reason="benchmark of the engine")
                if content.prompt and content.tokens:
                    level = levels[str(trace.reply_id)]
                    requests[level].append((list(content.prompt.token_ids), len(content.tokens)))
                    steps[int(level)]["waiting"].append(trace.queue_ms)
                    for step in content.steps:
                        steps[int(level)][step.name].append(step.duration_ms)
    settings_of_engine = {
        "model": resolve_model(settings.CHAT_MODEL, settings.CACHE_DIR).location,
        "max_model_len": settings.ENGINE_MAX_MODEL_LEN,
        "max_num_seqs": settings.ENGINE_MAX_SEQUENCES,
        "kv_cache_gib": settings.ENGINE_KV_CACHE_GIB,
    }
    return requests, steps, settings_of_engine


def measure(module: str, job: dict[str, Any]) -> dict[str, Any]:
    """What another program makes of the same prompts, with as many threads as the product's engine has."""
    from helpdesk.embedded.children import engine_threads

    environment = {**os.environ}
    environment.setdefault("OMP_NUM_THREADS", str(engine_threads(os.cpu_count() or 1)))
    outcome = subprocess.run(
        [sys.executable, "-m", module],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
        check=False,
    )
    if outcome.returncode:
        raise SystemExit(f"{module} failed:\n" + outcome.stderr[-2000:])
    figures: dict[str, Any] = json.loads(outcome.stdout.strip().splitlines()[-1])
    return figures


def naive_model() -> str:
    """The packaged model unquantised, as `transformers` loads it."""
    from django.conf import settings

    from inference_worker.models import prepare_chat

    return str(prepare_chat(settings.CACHE_DIR, precision="bf16"))


def levels_of(figures: dict[str, Any]) -> dict[int, Any]:
    """With numbers as keys, which JSON has not."""
    return {int(streams): value for streams, value in figures.items()}


def compare(product: dict[int, Any], bare: dict[int, Any], naive: dict[int, Any]) -> dict[str, Any]:
    """Ratios first; the raw figures below."""
    report: dict[str, Any] = {}
    for streams, ours in product.items():
        report[f"product_over_bare_{streams}"] = round(_rate(ours) / _rate(bare[streams]), 3)
        report[f"product_over_naive_{streams}"] = round(_rate(ours) / _rate(naive[streams]), 3)
    one = min(product)
    report["ttft_over_bare_ms_p50"] = round(
        median(product[one]["first_token_ms"]) - median(bare[one]["first_token_ms"]), 1
    )
    for name, figures in (("product", product), ("bare", bare), ("naive", naive)):
        for streams, value in figures.items():
            report[f"{name}_{streams}"] = {
                "tokens_per_second": round(_rate(value), 2),
                "tokens": value["tokens"],
                "seconds": round(value["seconds"], 2),
                "first_token_ms_p50": round(median(value["first_token_ms"]), 1),
                "first_token_ms_p95": round(_p95(value["first_token_ms"]), 1),
                **(
                    {"between_tokens_ms_p95": round(_p95(value["between_tokens_ms"]), 1)}
                    if value.get("between_tokens_ms")
                    else {}
                ),
                **({"total_ms_p50": round(median(value["total_ms"]), 1)} if "total_ms" in value else {}),
                **({name: value[name] for name in AS_MEASURED if name in value}),
            }
    return report


def _rate(figures: dict[str, Any]) -> float:
    return float(figures["tokens"] / figures["seconds"])


def _p95(values: list[float]) -> float:
    return quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else values[0]


def print_table(report: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    keys = (
        "tokens_per_second",
        "tokens",
        "seconds",
        "first_token_ms_p50",
        "first_token_ms_p95",
        "between_tokens_ms_p95",
    )
    heads = ("tokens/s", "tokens", "seconds", "first token ms p50", "p95", "between tokens ms p95")
    table = Table("", *heads, title="The product beside the bare engine and a naive server")
    for name, value in report.items():
        if isinstance(value, dict):
            table.add_row(
                name.replace("_", ", streams: "),
                *(str(value.get(key, "")) for key in keys),
            )
    console = Console()
    console.print(table)
    for name, value in report.items():
        if not isinstance(value, dict):
            console.print(f"{name:<26} {value}")


if __name__ == "__main__":
    main()
