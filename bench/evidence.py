"""What it costs the engine to tell how likely it found each token, and what it saves to read a given sentence.

`python -m bench.evidence` loads the packaged model once and lets it answer in three ways, in turns, so that a machine
that grows faster or slower does so for all: as vLLM comes (bare), with the log-probabilities that traces keep, and given
one sentence, as customers' quoted answers are. Prints tokens/s and ratios to the bare engine.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import time
import uuid
from collections.abc import Awaitable, Callable
from statistics import median
from typing import Any

from helpdesk.embedded.children import engine_threads
from inference_worker.engine.contract import ChatTurn, GenerationRequest, Prompt, SamplingParameters
from inference_worker.engine.vllm.adapter import VLLMEngine
from inference_worker.engine.vllm.arguments import EngineSettings
from inference_worker.engine.weights.checkpoints import default_cache, resolve_model

STREAMS = 8
SENTENCE = (
    "Express delivery costs nine euros and ninety cents per order, and there is no order value above which express "
    "becomes free of charge."
)
WORDS = ("order", "parcel", "delivery", "refund", "plant", "pot", "water", "light", "moss", "ticket", "card", "price")
PROMPT_WORDS = 300
BARE = "bare"

Ask = Callable[[Prompt], Awaitable[int]]


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--answers", type=int, default=16, help=f"in each round and way, {STREAMS} at once")
    options = parser.parse_args()
    model = resolve_model("packaged", default_cache())
    engine = VLLMEngine(EngineSettings(model=model.location, name=model.name, revision=model.revision))
    await engine.start()
    try:
        length = engine.count_tokens(SENTENCE) + 1
        ways: dict[str, Ask] = {BARE: lambda prompt: ask_vllm(engine, prompt, length)}
        for name, logprobs, choices in (
            ("log-probabilities", 5, ()),
            ("quoted", 5, (SENTENCE,)),
        ):
            sampling = SamplingParameters(
                max_tokens=length, temperature=0.0, top_logprobs=logprobs, choices=choices, stop=()
            )
            ways[name] = lambda prompt, sampling=sampling: ask(engine, prompt, sampling)  # type: ignore[misc]
        chance = random.Random(1)
        for way in ways.values():  # the first answers find caches empty
            await way(new_prompt(engine, chance))
        rates: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(options.rounds):
            for name, way in ways.items():
                prompts = [new_prompt(engine, chance) for _ in range(options.answers)]
                rates[name].append(await tokens_per_second(way, prompts))
        for name, measured in rates.items():
            ratio = median(rate / bare for rate, bare in zip(measured, rates[BARE], strict=True))
            print(
                f"{name:<18} {median(measured):6.2f} tokens/s  {ratio:.2f} of bare  {[round(rate, 1) for rate in measured]}"
            )
    finally:
        await engine.stop()


def new_prompt(engine: VLLMEngine, chance: random.Random) -> Prompt:
    """Of a customer's usual length, and in no prefix cache."""
    text = " ".join(chance.choice(WORDS) for _ in range(PROMPT_WORDS))
    return engine.render([ChatTurn("system", "Answer from the articles."), ChatTurn("user", text)])


async def tokens_per_second(way: Ask, prompts: list[Prompt]) -> float:
    """All prompts, STREAMS at once."""
    slots = asyncio.Semaphore(STREAMS)

    async def one(prompt: Prompt) -> int:
        async with slots:
            return await way(prompt)

    begun = time.perf_counter()
    tokens = sum(await asyncio.gather(*(one(prompt) for prompt in prompts)))
    return tokens / (time.perf_counter() - begun)


async def ask(engine: VLLMEngine, prompt: Prompt, sampling: SamplingParameters) -> int:
    """As the product asks; the number of tokens."""
    request = GenerationRequest(f"evidence-{uuid.uuid4().hex}", prompt, sampling)
    return sum([len(delta.tokens) async for delta in engine.stream(request)])


async def ask_vllm(engine: VLLMEngine, prompt: Prompt, length: int) -> int:
    """As vLLM comes; the number of tokens."""
    from vllm.sampling_params import RequestOutputKind, SamplingParams

    parameters: Any = SamplingParams(
        max_tokens=length, min_tokens=length, ignore_eos=True, temperature=0.0, output_kind=RequestOutputKind.DELTA
    )
    outputs = engine._llm.generate({"prompt_token_ids": list(prompt.token_ids)}, parameters, uuid.uuid4().hex)
    return sum([len(output.outputs[0].token_ids) async for output in outputs])


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", str(engine_threads(os.cpu_count() or 1)))
    asyncio.run(main())
