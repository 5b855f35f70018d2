"""The baseline: the same model in `transformers`, answering in static batches of 8 that are collected for 0.5 s.

What a small server without continuous batching does: a request waits for its batch, a batch ends with its longest answer.
The packaged weights come from the same source as the product's Int4 checkpoint, in the precision that this processor
computes fastest in `transformers` (bfloat16 with AVX512-BF16, else float32). The first token counts as soon as it is
computed, although such a server would not send it then. See bench/programs.py for what it reads and prints.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.programs import jobs, report

BATCH = 8
WINDOW_SECONDS = 0.5


@dataclass(slots=True)
class Request:
    """One prompt, and when its first token and its end came (time.perf_counter())."""

    ids: list[int]
    tokens: int
    first_at: float = 0.0
    done: asyncio.Event = field(default_factory=asyncio.Event)


class NaiveServer:
    """Collects requests into batches and runs one batch at a time."""

    def __init__(self, folder: Path) -> None:
        import torch
        from transformers import AutoModelForCausalLM

        self._torch = torch
        has_bfloat16 = torch.cpu._is_avx512_bf16_supported()
        self.precision = "bf16" if has_bfloat16 else "fp32"
        kind = torch.bfloat16 if has_bfloat16 else torch.float32
        self._model = AutoModelForCausalLM.from_pretrained(folder, dtype=kind).eval()
        self._queue: asyncio.Queue[Request] = asyncio.Queue()

    async def answer(self, ids: list[int], tokens: int) -> tuple[float, int]:
        """Milliseconds to the first token, and the number of tokens."""
        begun = time.perf_counter()
        request = Request(ids, tokens)
        await self._queue.put(request)
        await request.done.wait()
        return (request.first_at - begun) * 1000, tokens

    async def serve(self) -> None:
        """Until cancelled."""
        while True:
            batch = [await self._queue.get()]
            ends_at = time.perf_counter() + WINDOW_SECONDS
            while len(batch) < BATCH and (left := ends_at - time.perf_counter()) > 0:
                try:
                    batch.append(await asyncio.wait_for(self._queue.get(), left))
                except TimeoutError:
                    break
            await asyncio.to_thread(self._generate, batch)
            for request in batch:
                request.done.set()

    def _generate(self, batch: list[Request]) -> None:
        torch = self._torch
        longest = max(len(request.ids) for request in batch)
        ids = torch.tensor([[0] * (longest - len(request.ids)) + request.ids for request in batch])
        mask = torch.tensor([[0] * (longest - len(request.ids)) + [1] * len(request.ids) for request in batch])
        answer_tokens = max(request.tokens for request in batch)

        def note_first(_ids: Any, _scores: Any, **_: Any) -> Any:
            for request in batch:
                request.first_at = request.first_at or time.perf_counter()
            return torch.zeros(len(batch), dtype=torch.bool)

        with torch.inference_mode():
            self._model.generate(
                input_ids=ids,
                attention_mask=mask,
                min_new_tokens=answer_tokens,
                max_new_tokens=answer_tokens,
                do_sample=False,
                pad_token_id=0,
                stopping_criteria=[note_first],
            )


async def measure() -> None:
    """Load the model, then run level after level."""
    asked = jobs()
    settings = next(asked)
    server = NaiveServer(Path(settings["model"]))
    serving = asyncio.create_task(server.serve())
    try:
        for request in settings["warm_up"]:
            await server.answer(*request)
        report({"precision": server.precision})
        for job in asked:
            report(await _level(server, job["streams"], job["requests"]))
    finally:
        serving.cancel()


async def _level(server: NaiveServer, streams: int, requests: list[Any]) -> dict[str, Any]:
    slots = asyncio.Semaphore(streams)

    async def one(ids: list[int], tokens: int) -> tuple[float, int]:
        async with slots:
            return await server.answer(ids, tokens)

    begun = time.perf_counter()
    results = await asyncio.gather(*(one(*request) for request in requests))
    return {
        "seconds": time.perf_counter() - begun,
        "tokens": sum(tokens for _, tokens in results),
        "first_token_ms": [first for first, _ in results],
    }


if __name__ == "__main__":
    asyncio.run(measure())
