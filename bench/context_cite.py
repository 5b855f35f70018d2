"""Measured causes beside the `context-cite` package on transformers, for the same questions, prompts and answers.

The package is not part of the project's environment; its own one sees the project's through a .pth file:

    python -m venv ~/.cache/glassdesk/context-cite
    python -c "import torch, pathlib; print(pathlib.Path(torch.__file__).parents[1])" \\
        > ~/.cache/glassdesk/context-cite/lib/python3.11/site-packages/glassdesk.pth     # the project's python
    ~/.cache/glassdesk/context-cite/bin/pip install -r bench/context-cite.txt

    manage.py evaluate_attribution --squad FILE --language en --details details.jsonl     # needs the running desk
    ~/.cache/glassdesk/context-cite/bin/python -m bench.context_cite details.jsonl \\
        --model ~/.cache/glassdesk/checkpoints/chat-fp32

The desk's engine measures with its Int4 weights; transformers reads the checkpoint that `--model` names, in fp32 on the
CPU. Sources are whole passages, so that both rank the same things. Writes bench/results/context_cite.json.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, median
from typing import Any

import torch
from context_cite import ContextCiter
from context_cite.context_partitioner import BaseContextPartitioner
from scipy.stats import spearmanr
from transformers import AutoModelForCausalLM, AutoTokenizer

from bench.stacks import machine

RESULTS = Path(__file__).parent / "results"
Answer = dict[str, Any]


class Passages(BaseContextPartitioner):
    """One source for each passage of the prompt's last turn."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        super().__init__(answer["turns"][-1]["content"])

    @property
    def num_sources(self) -> int:
        return len(self.answer["passages"])

    def split_context(self) -> None:
        """The record says where each passage stands."""

    def get_source(self, index: int) -> str:
        passage = self.answer["passages"][index]
        return self.context[passage["start"] : passage["end"]]

    def get_context(self, mask: Sequence[bool] | None = None) -> str:
        text = self.context
        removed = [each for at, each in enumerate(self.answer["passages"]) if mask is not None and not mask[at]]
        for passage in sorted(removed, key=lambda each: each["start"], reverse=True):
            text = text[: passage["start"]] + text[passage["end"] :]
        return text


class RecordedAnswer(ContextCiter):
    """ContextCite of an answer that was given before, with the prompt that it was given to."""

    def __init__(self, answer: Answer, model: Any, tokenizer: Any, ablations: int) -> None:
        partitioner = Passages(answer)
        super().__init__(
            model, tokenizer, partitioner.context, query="", num_ablations=ablations, partitioner=partitioner
        )
        _, prompt = self._get_prompt_ids(return_prompt=True)
        self._cache["output"] = prompt + answer["answer"]

    def _get_prompt_ids(self, mask: Any = None, return_prompt: bool = False) -> Any:
        last = {"role": self.partitioner.answer["turns"][-1]["role"], "content": self.partitioner.get_context(mask)}
        turns = [*self.partitioner.answer["turns"][:-1], last]
        prompt = self.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        ids = self.tokenizer.encode(prompt, add_special_tokens=False)
        return (ids, prompt) if return_prompt else ids


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("details", type=Path, help="what evaluate_attribution --details wrote")
    parser.add_argument("--model", type=Path, required=True, help="a checkpoint folder that transformers can load")
    parser.add_argument("--ablations", type=int, default=64)
    parser.add_argument("--limit", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULTS / "context_cite.json")
    arguments = parser.parse_args()
    answers = [json.loads(line) for line in arguments.details.read_text(encoding="utf-8").splitlines()]
    answers = answers[: arguments.limit or None]
    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    model = AutoModelForCausalLM.from_pretrained(arguments.model, dtype=torch.float32).eval()
    measured = []
    for number, answer in enumerate(answers, 1):
        begun = time.perf_counter()
        citer = RecordedAnswer(answer, model, tokenizer, arguments.ablations)
        weights = [float(weight) for weight in citer.get_attributions(verbose=False)]
        measured.append((answer, weights, time.perf_counter() - begun))
        print(f"{number} of {len(answers)}: {measured[-1][2]:.1f} s")
    report = summarise(measured) | {
        "model": arguments.model.name,
        "weights": "fp32 in transformers; the desk measured with its own engine's weights",
        "ablations": arguments.ablations,
        "machine": machine(),
    }
    arguments.out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=2))


def summarise(measured: Sequence[tuple[Answer, list[float], float]]) -> dict[str, Any]:
    """How often each method puts the right passage first, and how alike they order all passages."""
    correlations = [
        float(spearmanr(answer["effects"], weights).statistic)
        for answer, weights, _ in measured
        if len(set(weights)) > 1 and len(set(answer["effects"])) > 1
    ]
    return {
        "answers": len(measured),
        "context_cite_top1": share(_first(answer, weights) == answer["gold"] for answer, weights, _ in measured),
        "desk_top1": share(_first(answer, answer["effects"]) == answer["gold"] for answer, _, _ in measured),
        "same_passage_first": share(
            _first(answer, weights) == _first(answer, answer["effects"]) for answer, weights, _ in measured
        ),
        "rank_correlation_mean": round(mean(correlations), 3) if correlations else None,
        "rank_correlation_of": len(correlations),
        "context_cite_seconds_p50": round(median(seconds for _, _, seconds in measured), 2) if measured else None,
        "desk_seconds_p50": round(median(answer["seconds"] for answer, _, _ in measured), 2) if measured else None,
    }


def share(outcomes: Any) -> float | None:
    """The part that is true."""
    found = list(outcomes)
    return round(sum(found) / len(found), 4) if found else None


def _first(answer: Answer, effects: Sequence[float]) -> str:
    return str(answer["passages"][max(range(len(effects)), key=effects.__getitem__)]["slug"])


if __name__ == "__main__":
    main()
