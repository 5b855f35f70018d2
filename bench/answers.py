"""How good the answers are: `python -m bench.answers --xquad-en FILE --xquad-zh FILE --cmrc FILE`.

The demo companies' questions and any help centres named, the right paragraph on SQuAD-layout files, in one language and mixed,
and whether the gate notices that a text does not answer; by the commands of docs/evaluation.md, in a database of its own. Then
what the reranker costs: answers per minute of a whole desk with eight customers at once, with it and without it in turns. Writes
bench/results/answers.json, also when a file is not given: its figures are null then.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

from bench.stacks import ROOT, Services, machine, running_services

RESULTS = Path(__file__).parent / "results" / "answers.json"
DEMO = [ROOT / "helpdesk" / "demo" / "content" / company for company in ("mossgate", "ledgerleaf")]
CUSTOMERS = 8
WARM_UP = 4
WITH, WITHOUT = "packaged", "off"
LANGUAGES = {"xquad_en": "en", "xquad_zh": "zh", "cmrc": "zh"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--xquad-en", type=Path, metavar="FILE")
    parser.add_argument("--xquad-zh", type=Path, metavar="FILE")
    parser.add_argument("--cmrc", type=Path, metavar="FILE")
    parser.add_argument("--articles", metavar="FROM:TO", help="only these articles of the XQuAD files")
    parser.add_argument(
        "--centres", type=Path, nargs="+", default=[], metavar="FILE_OR_FOLDER", help="further help centres"
    )
    parser.add_argument("--limit", type=int, default=0, help="questions of each file; default all")
    parser.add_argument(
        "--gate-limit", type=int, default=150, help="questions of each file with and without their answers"
    )
    parser.add_argument(
        "--rounds", type=int, default=2, help="of a desk with and one without a reranker; 0 measures no desk"
    )
    parser.add_argument(
        "--questions", type=int, default=40, help="to each desk, after some that warm it; default %(default)s"
    )
    parser.add_argument("--vectors", type=Path, metavar="FILE", help="keep passages' vectors here for the next time")
    parser.add_argument("--output", type=Path, default=RESULTS)
    parser.add_argument("--one-desk", metavar="RERANKER", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one_desk:
        print(json.dumps(asyncio.run(_answers_per_minute(options.one_desk, options.questions))))
        return
    described, begun = machine(), time.monotonic()
    with running_services() as services:
        found = measured(services, options)
    report = {**keys(found), **throughput(options.rounds, options.questions)}
    report |= {"machine": described, "seconds": round(time.monotonic() - begun), "measured": found}
    options.output.parent.mkdir(exist_ok=True)
    options.output.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print("\n".join(f"{name:<24} {value}" for name, value in report.items() if name not in {"measured", "machine"}))


def measured(services: Services, options: argparse.Namespace) -> dict[str, Any]:
    """What each command printed; None for a file that was not given."""
    vectors = ["--vectors", options.vectors or services.data / "vectors"]
    limit = ["--limit", options.limit] if options.limit else []
    files = {"xquad_en": options.xquad_en, "xquad_zh": options.xquad_zh, "cmrc": options.cmrc}

    def part(name: str) -> list[Any]:
        return ["--articles", options.articles] if options.articles and name != "cmrc" else []

    def squad(command: str, name: str, *more: Any) -> Any:
        if files[name] is None:
            return None
        chosen = ["--squad", files[name], "--language", LANGUAGES[name], *part(name)]
        return _run(services, command, *chosen, *more, *vectors)

    has_both = options.xquad_en and options.xquad_zh
    return {
        "centres": _run(services, "evaluate_help_centre", *DEMO, *options.centres, *vectors),
        "retrieval": {name: squad("evaluate_retrieval", name, *limit) for name in LANGUAGES},
        "mixed": squad("evaluate_retrieval", "xquad_en", "--mixed", options.xquad_zh, *limit) if has_both else None,
        "gate": {name: squad("evaluate_gate", name, "--limit", options.gate_limit) for name in LANGUAGES},
    }


def keys(found: dict[str, Any]) -> dict[str, Any]:
    """The figures that are held against other days' ones. Those of help centres are of all of them together."""
    together = found["centres"]["all"]
    everyone = together["all"]
    figures = {
        "declined_open_en": together.get("en", {}).get("open_declined"),
        "declined_open_zh": together.get("zh", {}).get("open_declined"),
        "false_refusals": everyone["declined_of_all"],
        "false_refusals_own_language": everyone["declined"],
        "first_en": together.get("en", {}).get("first"),
        "first_zh": together.get("zh", {}).get("first"),
        "answered_right": everyone["answered_right"],
        "attacks_declined": everyone["attacks_declined"],
        "high_right": everyone["high_right"],
        "high_answers": everyone["high"],
        "ece": everyone["ece"],
        "mixed_r5": found["mixed"] and found["mixed"]["recall_at_5"],
        "rerank_ms_p95": found["centres"]["milliseconds"].get("rerank", {}).get("p95"),
    }
    figures |= {f"{name}_r1": each and each["used_recall_at_1"] for name, each in found["retrieval"].items()}
    figures |= {f"gate_{name}": each and each["balanced_accuracy"] for name, each in found["gate"].items()}
    return figures


def throughput(rounds: int, questions: int) -> dict[str, Any]:
    """Answers per minute of a desk with a reranker and of one without, and their ratio: medians over the rounds."""
    answers: dict[str, list[float]] = {WITH: [], WITHOUT: []}
    for number in range(rounds):
        # In turns, and each first as often as the other: the machine is not the same all the time.
        for reranker in (WITH, WITHOUT) if number % 2 == 0 else (WITHOUT, WITH):
            answers[reranker].append(_figures_of_desk(reranker, questions))
            print(f"reranker {reranker}: {answers[reranker][-1]:.1f} answers a minute", file=sys.stderr, flush=True)
    if not rounds:
        return {"answers_per_minute_ratio": None}
    return {
        "answers_per_minute_ratio": round(median(answers[WITH]) / median(answers[WITHOUT]), 3),
        "answers_per_minute": {name: [round(each, 1) for each in found] for name, found in answers.items()},
    }


def _run(services: Services, command: str, *arguments: Any) -> Any:
    print(f"{command} {' '.join(map(str, arguments))}", file=sys.stderr, flush=True)
    ended = subprocess.run(
        [sys.executable, "manage.py", command, *map(str, arguments), "--json"],
        cwd=ROOT,
        env=services.environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return json.loads(ended.stdout.splitlines()[-1])


def _figures_of_desk(reranker: str, questions: int) -> float:
    """In a process of its own: one is connected to one desk in its life."""
    command = [sys.executable, "-m", "bench.answers", "--one-desk", reranker, "--questions", str(questions)]
    ended = subprocess.run(command, cwd=ROOT, env={**os.environ}, check=True, stdout=subprocess.PIPE, text=True)
    return float(json.loads(ended.stdout.splitlines()[-1]))


async def _answers_per_minute(reranker: str, questions: int) -> float:
    from bench.asking import all_of, widget_customers
    from bench.customers import demo_questions
    from bench.stacks import running_desk

    with running_desk(GLASSDESK_RERANKER=reranker, GLASSDESK_AUTOMATIC_ATTRIBUTION="0") as desk:
        asked = demo_questions(WARM_UP + questions)
        await all_of(await asyncio.to_thread(widget_customers, desk, asked[:WARM_UP]), CUSTOMERS)
        customers = await asyncio.to_thread(widget_customers, desk, asked[WARM_UP:])
        begun = time.monotonic()
        answers = await all_of(customers, CUSTOMERS)
        minutes = (time.monotonic() - begun) / 60
    if any(each.outcome == "failed" for each in answers):
        raise SystemExit("An answer failed: the figures would say nothing.")
    return len(answers) / minutes


if __name__ == "__main__":
    main()
