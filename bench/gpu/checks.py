"""What the product asks of its engine, tried once each: quoting, scoring, seeds, schemas, stopping, priorities, concurrency."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.gpu.job import Report, in_a_line
from bench.gpu.levels import WORDS
from inference_worker.engine.contract import (
    PRIORITY_BACKGROUND,
    PRIORITY_INTERACTIVE,
    ChatTurn,
    Delta,
    GenerationRequest,
    Prompt,
    PromptTooLong,
    RequestRefused,
    SamplingParameters,
    Token,
)
from inference_worker.engine.host import EngineHost
from inference_worker.engine.vllm.adapter import VLLMEngine

CALL_SECONDS = 120
CLOSE_NATS = 0.3  # as between two batches, see docs/decisions/0015
QUESTION = "How long does the delivery of my order take, and when is it free? " * 4
COMMON = (
    "The delivery takes two to three working days inside the country and five to seven working days abroad. We send you "
    "a number to follow the parcel as soon as it has left our store in the city. "
)
ANSWERS = tuple(
    COMMON + end
    for end in (
        "It is free from fifty euros.",
        "Orders below fifty euros cost five euros, and returns are free when you bring the parcel to one of our stores.",
        "Please ask the team.",
    )
)
DELIVERY_SCHEMA = {
    "type": "object",
    "properties": {
        "answer": {"type": "string", "maxLength": 20},
        "days": {"type": "integer", "minimum": 0, "maximum": 30},
    },
    "required": ["answer", "days"],
    "additionalProperties": False,
}
IMPOSSIBLE_SCHEMA = {"type": "object", "patternProperties": {"(?=a)b": {"type": "string"}}}


@dataclass(slots=True)
class Checks:
    """The engine, and what one check leaves for the next."""

    engine: VLLMEngine
    host: EngineHost
    out: str
    name: str
    concurrent: int
    kept: dict[str, list[Token]] = field(default_factory=dict)

    def call(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run on the engine's loop."""
        return self.host.submit(coroutine).result(CALL_SECONDS)

    def prompt(self, text: str) -> Prompt:
        """A customer's question."""
        return self.engine.render(
            [ChatTurn("system", "You answer customers of a garden shop."), ChatTurn("user", text)]
        )

    async def ask(self, text: str, *, priority: int = PRIORITY_INTERACTIVE, **sampling: Any) -> list[Delta]:
        """All deltas of an answer."""
        request = GenerationRequest("check", self.prompt(text), SamplingParameters(**sampling), priority)
        return [delta async for delta in self.engine.stream(request)]

    def free_text(self) -> str:
        """Tokens have log-probabilities, ranks and alternatives."""
        deltas = self.call(self.ask(QUESTION, max_tokens=32))
        return f"{len(tokens_of(deltas))} tokens, {deltas[-1].finish_reason}"

    def quote(self, name: str = "quoted") -> str:
        """An answer restricted to given texts is exactly one of them."""
        deltas = self.call(self.ask(QUESTION, choices=ANSWERS, max_tokens=256))
        text = joined(deltas)
        require(text in ANSWERS, f"left the texts: {text!r}")
        self.kept[name] = tokens_of(deltas)
        return f"text {ANSWERS.index(text)}, {len(self.kept[name])} tokens in {len(deltas)} pieces"

    def quote_again(self) -> str:
        """The second time the cache reaches into the answer: it is written, with the same log-probabilities."""
        said = self.quote("again")
        one, two = self.kept["quoted"], self.kept["again"]
        require([t.token_id for t in one] == [t.token_id for t in two], "another answer")
        return f"{said}; farthest {near([t.logprob for t in one], [t.logprob for t in two]):.3f} nats"

    def score(self) -> str:
        """The log-probabilities of an answer that was read are those of scoring it. Left for the comparison with transformers."""
        tokens, prompt = self.kept["quoted"], self.prompt(QUESTION)
        ids = [token.token_id for token in tokens]
        scored = self.call(self.engine.score(prompt, ids))
        kept = {"prompt": list(prompt.token_ids), "ids": ids, "logprobs": scored}
        (Path(self.out) / f"scored-{self.name}.json").write_text(json.dumps(kept), encoding="utf-8")
        return f"farthest {near(scored, [token.logprob for token in tokens]):.3f} nats"

    def score_from_the_cache(self) -> str:
        """The prompt alone is in the cache, then the continuation too."""
        text = "Another question of a length that fills some blocks of the cache, please answer it. " * 8
        self.call(self.ask(text, max_tokens=2))
        ids = [token.token_id for token in self.kept["quoted"][:20]]
        first, second = (self.call(self.engine.score(self.prompt(text), ids)) for _ in range(2))
        return f"farthest {near(first, second):.3f} nats"

    def concurrency(self) -> str:
        """Quoted, written and scored at once, some of them in the background."""
        return str(self.call(self._concurrency()))

    async def _concurrency(self) -> str:
        ids = [token.token_id for token in self.kept["quoted"][:24]]

        async def quoted(i: int) -> bool:
            priority = PRIORITY_BACKGROUND if i % 3 == 0 else PRIORITY_INTERACTIVE
            return (
                joined(await self.ask(f"{i}: {QUESTION}", choices=ANSWERS, max_tokens=256, priority=priority))
                in ANSWERS
            )

        async def written(i: int) -> bool:
            return bool(tokens_of(await self.ask(f"Write about {WORDS[i]}.", max_tokens=32)))

        async def scored(i: int) -> bool:
            return len(await self.engine.score(self.prompt(f"{WORDS[i]} {QUESTION}"), ids)) == len(ids)

        size = self.concurrent
        some = (*map(quoted, range(size)), *map(written, range(size)), *map(scored, range(size // 2)))
        done = await asyncio.gather(*some, return_exceptions=True)
        wrong = [repr(each)[:160] for each in done if each is not True]
        require(not wrong, f"{len(wrong)} of {len(done)} wrong, the first {wrong[:1]}")
        return f"{len(done)} at once"

    def priorities(self) -> str:
        """A customer's question overtakes a full engine's background work."""
        return str(self.call(self._priorities()))

    async def _priorities(self) -> str:
        ended: list[str] = []

        async def one(name: str, priority: int, tokens: int) -> None:
            await self.ask(f"Write about {name}.", max_tokens=tokens, priority=priority)
            ended.append(name)

        count = 2 * self.engine.settings.max_num_seqs
        behind = [
            asyncio.create_task(one(f"{WORDS[i % len(WORDS)]} {i}", PRIORITY_BACKGROUND, 24)) for i in range(count)
        ]
        await asyncio.sleep(0.05)
        await one("a customer", PRIORITY_INTERACTIVE, 8)
        place = ended.index("a customer")
        await asyncio.gather(*behind)
        require(place < count, "it was the last")
        return f"{place} of {count} in the background ended before it"

    def schema(self) -> str:
        """JSON of that schema."""
        text = joined(self.call(self.ask("Give the answer as JSON.", max_tokens=96, json_schema=DELIVERY_SCHEMA)))
        require({"answer", "days"} == set(json.loads(text)), text)
        return text[:60]

    def impossible_schema(self) -> str:
        """Refused before the first delta."""
        try:
            self.call(self.ask("x", json_schema=IMPOSSIBLE_SCHEMA, max_tokens=8))
        except RequestRefused as error:
            return str(error)[:80]
        raise AssertionError("it was taken")

    def too_long(self) -> str:
        """Refused before the engine sees it."""
        try:
            self.call(self.ask("word " * 3000, max_tokens=8))
        except PromptTooLong:
            return "refused"
        raise AssertionError("it was taken")

    def seeds(self) -> str:
        """The same seed gives the same text, another one another."""
        sampling: dict[str, Any] = {"max_tokens": 24, "temperature": 0.8, "top_p": 0.9}
        texts = [joined(self.call(self.ask("Write a poem.", seed=seed, **sampling))) for seed in (5, 5, 6)]
        require(texts[0] == texts[1] != texts[2], repr(texts)[:200])
        return "5 = 5, 5 ≠ 6"

    def stop(self) -> str:
        """Closing a stream frees the engine."""
        return str(self.call(self._stop()))

    async def _stop(self) -> str:
        sampling = SamplingParameters(max_tokens=1500, temperature=1.0, seed=3)
        stream = self.engine.stream(GenerationRequest("stopped", self.prompt("Tell a story."), sampling))
        for _ in range(5):
            await anext(stream)
        await stream.aclose()
        begun = time.perf_counter()
        while time.perf_counter() - begun < 10:
            # The scheduler tells its state after a step only, so another request shows it.
            await self.ask("hi", max_tokens=1)
            await asyncio.sleep(0.02)
            if not self.engine.usage().running:
                return f"free after {time.perf_counter() - begun:.2f} s"
        raise AssertionError("it goes on")

    def one_customer(self) -> str:
        """How long a customer waits for a quoted answer when nobody else asks."""
        seconds = []
        for number in range(4):
            begun = time.perf_counter()
            self.call(self.ask(f"{number} {QUESTION}", choices=ANSWERS, max_tokens=256))
            seconds.append((time.perf_counter() - begun) * 1000)
        return f"{', '.join(f'{each:.0f}' for each in sorted(seconds))} ms"


def run_checks(report: Report, engine: VLLMEngine, host: EngineHost, *, out: str) -> None:
    """Every check, in the order that they need; one that fails is told and the next is tried."""
    concurrency = min(48, max(2, engine.settings.max_num_seqs // 4))
    checks = Checks(engine, host, out, report["name"], concurrency)
    named: tuple[Callable[[], str], ...] = (
        *(
            checks.free_text,
            checks.quote,
            checks.quote_again,
            checks.score,
            checks.score_from_the_cache,
            checks.concurrency,
        ),
        *(checks.priorities, checks.schema, checks.impossible_schema, checks.too_long, checks.seeds, checks.stop),
        checks.one_customer,
    )
    for check in named:
        begun = time.perf_counter()
        try:
            said = f"ok: {check()} [{time.perf_counter() - begun:.2f} s]"
        except Exception as error:
            said = f"FAIL {in_a_line(error)}"
        report.put(checks={**report.get("checks", {}), check.__name__: said})


def require(is_so: bool, otherwise: str) -> None:
    """Raise AssertionError, also where Python runs without assertions."""
    if not is_so:
        raise AssertionError(otherwise)


def joined(deltas: list[Delta]) -> str:
    """The text."""
    return "".join(delta.text for delta in deltas)


def tokens_of(deltas: list[Delta]) -> list[Token]:
    """The tokens, each with a log-probability, a rank and alternatives."""
    tokens = [token for delta in deltas for token in delta.tokens]
    wrong = [token for token in tokens if token.logprob > 1e-4 or token.rank < 1 or not token.alternatives]
    require(not wrong, f"{wrong[:1]}")
    return tokens


def near(one: list[float], two: list[float]) -> float:
    """The greatest distance."""
    require(len(one) == len(two), f"{len(one)} and {len(two)} numbers")
    farthest = max(abs(a - b) for a, b in zip(one, two, strict=True))
    require(farthest < CLOSE_NATS, f"{farthest:.3f} nats apart")
    return farthest
