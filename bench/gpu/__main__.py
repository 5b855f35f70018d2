"""The product's engine on a GPU, beside vLLM's bare engine and beside `transformers`.

`python -m bench.gpu` measures the packaged model: the product with vLLM's old and new model runner at 1, 8, 16, 64 and 256
streams, the bare AsyncLLM, transformers in static batches of 8; it tries quoting, scoring, seeds, JSON schemas, stopping,
priorities and concurrency, kills the engine and its owner, and compares the log-probabilities with transformers'. Prints tables
and writes bench/results/gpu.json. `--large` adds a model of 1.8 billion parameters (random weights, made here).
`--dry-run` does the same in small on a CPU, in a few minutes: it shows that the program runs, and measures nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.gpu.job import Job
from bench.gpu.large import make_large
from bench.gpu.running import run_piece
from bench.gpu.table import print_tables
from bench.stacks import machine
from helpdesk.embedded.children import engine_threads
from helpdesk.gpu import card_mib
from inference_worker.engine.weights.checkpoints import default_cache, prepare_chat, resolve_model

RESULTS = Path(__file__).parents[1] / "results" / "gpu.json"
LEVELS = ((1, 3), (8, 16), (16, 32), (64, 128), (256, 384))
DRY_LEVELS = ((1, 1), (2, 2))
LEAST_SECONDS = 30  # for a piece to be begun at all


def main() -> None:
    """Parse, run the pieces, print and write."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.gpu", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--levels", type=_levels, default=LEVELS, help="streams:requests, … (1:3,8:16,16:32,64:128,256:384)"
    )
    parser.add_argument("--tokens", type=int, default=96, help="of each answer (96)")
    parser.add_argument("--share", type=float, default=0.85, help="of the card's memory (0.85)")
    parser.add_argument("--seconds", type=int, default=600, help="no piece goes on beyond (600)")
    parser.add_argument("--pieces", type=_words, default=(), help="only these, such as old,bare (all)")
    parser.add_argument("--large", action="store_true", help="also a model of 1.8 billion parameters")
    parser.add_argument(
        "--dry-run", action="store_true", help="on a CPU, in small; nothing is written to bench/results"
    )
    parser.add_argument("--out", type=Path, help="folder of logs and reports (a new one in the temporary folder)")
    options = parser.parse_args()
    if card_mib() is None and not options.dry_run:
        raise SystemExit("No GPU answers here (nvidia-smi). `--dry-run` shows on a CPU that the program runs.")
    os.environ.setdefault("OMP_NUM_THREADS", str(engine_threads(os.cpu_count() or 1)))
    out = options.out or Path(tempfile.mkdtemp(prefix="glassdesk-gpu-"))
    out.mkdir(parents=True, exist_ok=True)
    jobs = [job for job in _jobs(options, str(out)) if not options.pieces or job.name in options.pieces]
    results = _run(jobs, options.seconds)
    print_tables(results)
    report = {"machine": {**machine(), "gpu_mib": card_mib()}, "is_dry_run": options.dry_run, "pieces": results}
    target = out / "gpu.json" if options.dry_run else RESULTS
    target.write_text(json.dumps(report, indent=2, default=str) + "\n", encoding="utf-8")
    print(f"\n{target}; logs: {out}")


def _levels(text: str) -> tuple[tuple[int, int], ...]:
    return tuple((int(streams), int(count)) for streams, count in (part.split(":") for part in text.split(",")))


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def _jobs(options: argparse.Namespace, out: str) -> list[Job]:
    """The most telling first: time may run out."""
    cache = default_cache()
    model = resolve_model("packaged", cache).location
    common = Job("old", "product", model, model, out, "1", options.levels, options.tokens, share=options.share)
    unquantised = str(prepare_chat(cache, precision="bf16"))
    if options.dry_run:
        small = replace(common, levels=DRY_LEVELS, tokens=8, words=40, sequences=4, seconds=600)
        return [
            replace(small, has_checks=True),
            replace(small, name="bare", kind="bare"),
            replace(small, name="transformers", kind="naive", model=unquantised),
        ]
    jobs = [
        replace(common, has_checks=True),
        replace(common, name="bare", kind="bare"),
        replace(common, name="new", runner="2", has_checks=True),
        replace(common, name="transformers", kind="naive", model=unquantised),
    ]
    if options.large:
        known = int(json.loads((Path(model) / "config.json").read_text())["vocab_size"])
        large = str(make_large(cache / "bench-large", tokenizer=Path(model), known_tokens=known))
        big = replace(common, model=large)
        jobs += [replace(big, name="large-old"), replace(big, name="large-bare", kind="bare")]
        jobs.append(replace(big, name="large-new", runner="2"))
    return jobs


def _run(jobs: list[Job], seconds: int) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    results: dict[str, Any] = {}
    for job in jobs:
        if deadline - time.monotonic() < LEAST_SECONDS:
            results[job.name] = {"name": job.name, "ended": "not begun: no time was left"}
            continue
        results[job.name] = run_piece(job, deadline)
        print(f"{job.name}: {results[job.name]['ended']}", flush=True)
    return results


if __name__ == "__main__":
    main()
