"""The same model in `transformers`, unquantised, in static batches of 8; and the product's log-probabilities beside its own."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

from bench.gpu.job import Job, Report, gpu_used_mib
from bench.gpu.levels import new_prompt

BATCH = 8
ROUNDS = 3


def run(job: Job, report: Report) -> None:
    """`job.model` is the unquantised checkpoint, `job.tokenizer` the product's own, which the scores are compared with."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    device = "cuda" if torch.cuda.is_available() else "cpu"
    kind = torch.bfloat16 if device == "cuda" else torch.float32
    model = AutoModelForCausalLM.from_pretrained(job.model, dtype=kind).eval().to(device)
    tokenizer, chance = AutoTokenizer.from_pretrained(job.tokenizer), random.Random(5)
    report.put(naive=_rates(model, tokenizer, chance, job, is_short=device == "cpu"), gpu_mib=gpu_used_mib())
    if files := sorted(Path(job.out).glob("scored-*.json")):
        model = model.float()
        _load_unpacked(model, Path(job.tokenizer))
        compared = {file.stem.removeprefix("scored-"): _compare(model, json.loads(file.read_text())) for file in files}
        report.put(logprobs_beside_transformers=compared)
    report.put(done=True)


def _rates(model: Any, tokenizer: Any, chance: random.Random, job: Job, *, is_short: bool) -> dict[str, Any]:
    """Tokens/s of the middle one of the rounds, after one that does not count."""
    import torch

    rates, firsts = [], []
    for turn in range(2 if is_short else 1 + ROUNDS):
        rows = [tokenizer(new_prompt(chance, job.words))["input_ids"] for _ in range(2 if is_short else BATCH)]
        width = max(map(len, rows))
        ids = torch.tensor([[0] * (width - len(row)) + row for row in rows], device=model.device)
        mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows], device=model.device)
        begun = time.perf_counter()
        first_at: list[float] = []

        def note(input_ids: Any, _scores: Any, *, at: list[float] = first_at, **_: Any) -> Any:
            if not at:
                int(input_ids[0, -1])  # waits for the device
                at.append(time.perf_counter())
            return torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)

        with torch.inference_mode():
            model.generate(
                input_ids=ids,
                attention_mask=mask,
                min_new_tokens=job.tokens,
                max_new_tokens=job.tokens,
                do_sample=False,
                pad_token_id=0,
                stopping_criteria=[note],
            )
        seconds = time.perf_counter() - begun
        if turn:
            rates.append(len(rows) * job.tokens / seconds)
            firsts.append((first_at[0] - begun) * 1000)
    middle = sorted(rates)[len(rates) // 2]
    first = sorted(firsts)[len(firsts) // 2]
    return {"batch": len(rows), "tokens_per_second": round(middle, 1), "first_token_ms_p50": round(first, 1)}


def _load_unpacked(model: Any, folder: Path) -> None:
    """The quantised checkpoint's own weights, unpacked: then both compute the same model."""
    import torch
    from safetensors import safe_open

    from inference_worker.engine.weights import gptq

    plain: dict[str, Any] = {}
    packed: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(str(path), "pt") as file:
            for name in file.keys():  # noqa: SIM118  (not a dictionary)
                stem, _, kind = name.rpartition(".")
                if kind in ("qweight", "qzeros", "scales", "g_idx"):
                    packed.setdefault(stem, {})[kind] = file.get_tensor(name).numpy()
                else:
                    plain[name] = file.get_tensor(name)
    for stem, parts in packed.items():
        plain[f"{stem}.weight"] = torch.from_numpy(gptq.unpack(parts).copy())
    model.load_state_dict(plain, strict=False)


def _compare(model: Any, scored: dict[str, list[Any]]) -> dict[str, float]:
    """Nats between the product's log-probabilities and those in float32."""
    import torch

    ids, begun = [*scored["prompt"], *scored["ids"]], len(scored["prompt"])
    with torch.inference_mode():
        rows = model(torch.tensor([ids], device=model.device)).logits[0].float().log_softmax(-1)
    theirs = [float(rows[begun - 1 + place, token]) for place, token in enumerate(scored["ids"])]
    apart = [abs(a - b) for a, b in zip(scored["logprobs"], theirs, strict=True)]
    return {"farthest": round(max(apart), 4), "mean": round(sum(apart) / len(apart), 4)}
