"""The product beside the bare engine and beside a naive server, with 1, 4, 8 and 16 customers at once.

`make bench` runs it. Customers on websockets ask the demo companies' questions; the traces tell the exact prompts and
token counts. Then the bare engine (bench/bare_engine.py), and the same model in `transformers` with static batches
(bench/naive_server.py), get the same prompts for as many tokens with as many threads. The three take turns, level by
level and round by round, so that a machine that grows faster or slower does so for all; who waits costs next to nothing.
Quoted answers are read rather than written by the product's engine, so API clients also ask it to write freely ("written"),
where both engines go token by token and the ratio is what the product around the engine costs.
Prints one table and writes bench/results/engine.json. No answer is taken from the cache and causes are not
measured meanwhile, so that engines are compared and not savings.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from bench.asking import Customer, all_of, widget_customers, writing_customers
from bench.customers import COMPANIES, demo_questions
from bench.processor_time import difference, processor_seconds
from bench.programs import Program, running
from bench.stacks import Stack, machine, running_desk

RESULTS = Path(__file__).parent / "results" / "engine.json"
AS_MEASURED = ("asked", "answered", "refused", "lost", "rates", "processor_seconds")


Figures = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--levels", type=levels, default="1:8,4:16,8:32,16:56", help="streams:questions, …")
    parser.add_argument("--written", type=levels, default="1:4,8:24,16:32", help="the same of freely written answers")
    parser.add_argument("--rounds", type=int, default=2, help="the questions of a level are asked in so many rounds")
    options = parser.parse_args()
    described = machine()
    questions = demo_questions(sum(options.levels.values()) + len(COMPANIES))
    first, questions = questions[: len(COMPANIES)], questions[len(COMPANIES) :]
    with running_desk(GLASSDESK_ANSWER_CACHE_TTL="0", GLASSDESK_AUTOMATIC_ATTRIBUTION="0") as desk:
        desk.connect()
        # The first question to each company finds caches empty; the others get the same requests before they are measured.
        _, warm_up = measure_product(desk, widget_customers(desk, first), 1)
        settings = {**engine_settings(), "warm_up": warm_up}
        naive_settings = {"model": naive_model(), "warm_up": warm_up}
        with running("bench.bare_engine", settings) as bare, running("bench.naive_server", naive_settings) as naive:
            asked = in_turns(desk, [bare, naive], options.levels, options.rounds, widget_customers(desk, questions))
            programs = writing_customers(desk, demo_questions(sum(options.written.values())))
            written = in_turns(desk, [bare], options.written, options.rounds, programs)
            report = compare(*asked) | compare_written(*written) | {"naive_precision": naive.about["precision"]}
    print_table(report)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({**report, "machine": described}, indent=2) + "\n", encoding="utf-8")


def levels(text: str) -> dict[int, int]:
    """Questions by the number of streams, of "streams:questions, …"."""
    return {int(streams): int(count) for streams, count in (part.split(":") for part in text.split(","))}


def in_turns(
    desk: Stack, programs: list[Program], levels: dict[int, int], rounds: int, customers: list[Customer]
) -> list[dict[int, Figures]]:
    """Figures by level: of the product, then of the other programs with the same requests."""
    totals: list[dict[int, Figures]] = [{} for _ in range(1 + len(programs))]
    for streams, count in levels.items():
        for turn in range(rounds):
            share = count * (turn + 1) // rounds - count * turn // rounds
            asking, customers = customers[:share], customers[share:]
            figures, requests = measure_product(desk, asking, streams)
            job = {"streams": streams, "requests": requests}
            for total, measured in zip(totals, [figures, *(each.ask(job) for each in programs)], strict=True):
                total[streams] = together(total[streams], measured) if turn else begin(measured)
            rates = ", ".join(f"{total[streams]['rates'][-1]:.1f}" for total in totals)
            print(f"{streams} streams, round {turn + 1}: {rates} tokens/s", flush=True)
    return totals


def begin(figures: Figures) -> Figures:
    """The first round."""
    return {**figures, "rates": [round(_rate(figures), 2)]}


def together(total: Figures, figures: Figures) -> Figures:
    """Numbers added, lists joined."""
    figures = begin(figures)
    return {name: _sum(value, figures[name]) for name, value in total.items()}


def _sum(first: Any, second: Any) -> Any:
    if isinstance(first, dict):
        both = {name: _sum(first[name], second[name]) for name in first.keys() & second.keys()}
        return first | second | both
    return first + second


def measure_product(desk: Stack, customers: list[Customer], streams: int) -> tuple[Figures, list[Any]]:
    """What the customers saw, and the engine requests that it took."""
    begun, used = time.perf_counter(), processor_seconds(desk.pid)
    answers = asyncio.run(all_of(customers, streams))
    figures = {
        "seconds": time.perf_counter() - begun,
        "processor_seconds": difference(used, processor_seconds(desk.pid)),
    }
    requests, steps = read_traces({each.id for each in answers})
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


def read_traces(ids: set[str]) -> tuple[list[Any], dict[str, list[float]]]:
    """The prompts with their numbers of answer tokens (refusals never reach the engine), and what each step took in
    milliseconds.
    """
    from django.db.models import Q

    from helpdesk.tenants.models import Tenant
    from helpdesk.tenants.scope import tenant_atomic
    from tracing.models import Trace
    from tracing.read import open_trace_from_shell

    requests: list[Any] = []
    steps: dict[str, list[float]] = defaultdict(list)
    for company in COMPANIES:
        with tenant_atomic(Tenant.objects.get(slug=company).id):
            found = Trace.objects.filter(Q(reply_id__in=ids) | Q(id__in=ids))
            for trace in found.select_related("key").order_by("created_at"):
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

    from inference_worker.engine.weights.checkpoints import resolve_model

    return {
        "model": resolve_model(settings.CHAT_MODEL, settings.CACHE_DIR).location,
        "max_model_len": settings.ENGINE_MAX_MODEL_LEN,
        "max_num_seqs": settings.ENGINE_MAX_SEQUENCES,
        "kv_cache_gib": settings.ENGINE_KV_CACHE_GIB,
    }


def naive_model() -> str:
    """The packaged model unquantised, as `transformers` loads it."""
    from django.conf import settings

    from inference_worker.engine.weights.checkpoints import prepare_chat

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
    return report | raw("product", product) | raw("bare", bare) | raw("naive", naive)


def compare_written(product: dict[int, Figures], bare: dict[int, Figures]) -> dict[str, Any]:
    """The same of freely written answers."""
    report = {
        f"written_over_bare_{streams}": round(_rate(product[streams]) / _rate(bare[streams]), 3) for streams in product
    }
    return report | raw("written", product) | raw("written_bare", bare)


def raw(name: str, levels: dict[int, Figures]) -> dict[str, Any]:
    """What a level came to."""
    return {f"{name}_{streams}": level(figures) for streams, figures in levels.items()}


def level(figures: Figures) -> dict[str, Any]:
    """Numbers of many answers as one."""
    return {
        "tokens_per_second": round(_rate(figures), 2),
        "tokens": figures["tokens"],
        "seconds": round(figures["seconds"], 2),
        "first_token_ms_p50": round(median(figures["first_token_ms"]), 1),
        "first_token_ms_p95": round(_p95(figures["first_token_ms"]), 1),
        **({"between_tokens_ms_p95": round(_p95(gaps), 1)} if (gaps := figures.get("between_tokens_ms")) else {}),
        **({"total_ms_p50": round(median(figures["total_ms"]), 1)} if "total_ms" in figures else {}),
        **({name: figures[name] for name in AS_MEASURED if name in figures}),
        **_medians(figures.get("steps_ms", {})),
    }


def _medians(steps: dict[str, list[float]]) -> dict[str, Any]:
    return {"steps_ms_p50": {name: round(median(values), 1) for name, values in steps.items()}} if steps else {}


def _rate(figures: dict[str, Any]) -> float:
    return float(figures["tokens"] / figures["seconds"])


def _p95(values: Sequence[float]) -> float:
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
                ", streams: ".join(name.rsplit("_", 1)),
                *(str(value.get(key, "")) for key in keys),
            )
    console = Console()
    console.print(table)
    for name, value in report.items():
        if not isinstance(value, dict):
            console.print(f"{name:<26} {value}")


if __name__ == "__main__":
    main()
