"""The product beside the bare engine and beside a naive server, with 1, 4, 8 and 16 customers at once.

`make bench` runs it. Customers on websockets ask the demo companies' questions; the traces tell the exact prompts and
token counts. Then the bare engine (bench/bare_engine.py), and the same model in `transformers` with static batches
(bench/naive_server.py), get the same prompts for as many tokens with as many threads. The three take turns, level by
level and round by round, so that a machine that grows faster or slower does so for all; who waits costs next to nothing.
Prints one table and writes bench/results/engine.json. Answers are not given again from the cache and causes are not
measured meanwhile, so that engines are compared and not savings.
"""

from __future__ import annotations

import argparse
import asyncio
import json
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
from bench.programs import Program, running
from bench.stacks import Stack, machine, running_desk

RESULTS = Path(__file__).parent / "results" / "engine.json"
ANSWER_SECONDS = 300
AS_MEASURED = ("asked", "answered", "refused", "lost", "rates", "processor_seconds")

Figures = dict[str, Any]


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
    parser.add_argument("--levels", default="1:8,4:16,8:32,16:56", help="streams:questions, …")
    parser.add_argument("--rounds", type=int, default=2, help="the questions of a level are asked in so many rounds")
    options = parser.parse_args()
    levels = {int(streams): int(count) for streams, count in (part.split(":") for part in options.levels.split(","))}
    described = machine()
    questions = demo_questions(sum(levels.values()) + len(COMPANIES))
    with running_desk(GLASSDESK_ANSWER_CACHE_TTL="0", GLASSDESK_AUTOMATIC_ATTRIBUTION="0") as desk:
        desk.connect()
        # The first question to each company finds caches empty; the others get the same requests before they are measured.
        _, first = measure_product(desk, questions[: len(COMPANIES)], 1)
        settings = {**engine_settings(), "warm_up": first}
        naive_settings = {"model": naive_model(), "warm_up": first}
        with running("bench.bare_engine", settings) as bare, running("bench.naive_server", naive_settings) as naive:
            measured = in_turns(desk, bare, naive, levels, options.rounds, questions[len(COMPANIES) :])
            report = compare(*measured) | {"naive_precision": naive.about["precision"]}
    print_table(report)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({**report, "machine": described}, indent=2) + "\n", encoding="utf-8")


def in_turns(
    desk: Stack, bare: Program, naive: Program, levels: dict[int, int], rounds: int, questions: list[tuple[str, str]]
) -> tuple[dict[int, Figures], dict[int, Figures], dict[int, Figures]]:
    """Figures by level of the product, the bare engine and the naive server."""
    totals: tuple[dict[int, Figures], ...] = ({}, {}, {})
    for streams, count in levels.items():
        for turn in range(rounds):
            share = count * (turn + 1) // rounds - count * turn // rounds
            asked, questions = questions[:share], questions[share:]
            figures, requests = measure_product(desk, asked, streams)
            job = {"streams": streams, "requests": requests}
            for total, measured in zip(totals, (figures, bare.ask(job), naive.ask(job)), strict=True):
                total[streams] = together(total[streams], measured) if turn else begin(measured)
            product, alone, static = (total[streams]["rates"][-1] for total in totals)
            print(
                f"{streams} streams, round {turn + 1}: {product:.1f}, {alone:.1f} and {static:.1f} tokens/s", flush=True
            )
    return totals[0], totals[1], totals[2]


def begin(figures: Figures) -> Figures:
    """The first round."""
    return {**figures, "rates": [round(_rate(figures), 2)]}


def together(total: Figures, figures: Figures) -> Figures:
    """Numbers added, lists joined."""
    figures = begin(figures)
    return {name: _sum(value, figures[name]) for name, value in total.items()}


def _sum(first: Any, second: Any) -> Any:
    if isinstance(first, dict):
        return {name: _sum(first.get(name, 0), second.get(name, 0)) for name in first | second}
    return first + second


def measure_product(desk: Stack, asked: list[tuple[str, str]], streams: int) -> tuple[Figures, list[Any]]:
    """What the customers saw, and the engine requests that it took."""
    customers = visitors(desk, asked)
    begun, used = time.perf_counter(), processor_seconds(desk.pid)
    answers = asyncio.run(ask_all(desk, customers, streams))
    figures = {
        "seconds": time.perf_counter() - begun,
        "processor_seconds": difference(used, processor_seconds(desk.pid)),
    }
    requests, steps = read_traces({each.reply for each in answers})
    return figures | {
        "tokens": sum(tokens for _, tokens in requests),
        "answered": len(requests),
        "asked": len(answers),
        "refused": sum(each.outcome == "refused" for each in answers),
        "lost": sum(each.outcome == "failed" for each in answers),
        "first_token_ms": [each.first_text_ms for each in answers if each.first_text_ms is not None],
        "total_ms": [each.total_ms for each in answers],
        "steps_ms": steps,
        "between_tokens_ms": [gap for each in answers for gap in each.gaps_ms],
    }, requests


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


def read_traces(replies: set[str]) -> tuple[list[Any], dict[str, list[float]]]:
    """The prompts with their numbers of answer tokens (refusals never reach the engine), and what each step took in
    milliseconds.
    """
    from helpdesk.tenants.models import Tenant
    from helpdesk.tenants.scope import tenant_atomic
    from tracing.models import Trace
    from tracing.read import open_trace_from_shell

    requests: list[Any] = []
    steps: dict[str, list[float]] = defaultdict(list)
    for company in COMPANIES:
        with tenant_atomic(Tenant.objects.get(slug=company).id):
            for trace in Trace.objects.filter(reply_id__in=replies).select_related("key").order_by("created_at"):
                content = open_trace_from_shell(trace=trace, reason="benchmark of the engine")
                if content.prompt and content.tokens:
                    requests.append((list(content.prompt.token_ids), len(content.tokens)))
                    steps["waiting"].append(trace.queue_ms)
                    for step in content.steps:
                        steps[step.name].append(step.duration_ms)
    return requests, dict(steps)


def engine_settings() -> dict[str, Any]:
    """What the product's engine is loaded with."""
    from django.conf import settings

    from inference_worker.models import resolve_model

    return {
        "model": resolve_model(settings.CHAT_MODEL, settings.CACHE_DIR).location,
        "max_model_len": settings.ENGINE_MAX_MODEL_LEN,
        "max_num_seqs": settings.ENGINE_MAX_SEQUENCES,
        "kv_cache_gib": settings.ENGINE_KV_CACHE_GIB,
    }


def naive_model() -> str:
    """The packaged model unquantised, as `transformers` loads it."""
    from django.conf import settings

    from inference_worker.models import prepare_chat

    return str(prepare_chat(settings.CACHE_DIR, precision="bf16"))


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
                **_medians(value.get("steps_ms", {})),
            }
    return report


def _medians(steps: dict[str, list[float]]) -> dict[str, Any]:
    return {"steps_ms_p50": {name: round(median(values), 1) for name, values in steps.items()}} if steps else {}


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
