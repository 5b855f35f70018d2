"""A deterministic stand-in for the engine, the embedder and the reranker in fast tests: no model, no heavy import.

`ScriptedEngine` honours the engine contract: it streams the first of `choices`, an example of `json_schema`, or a
scripted text, word by word (Chinese, Japanese and Korean character by character), with log-probabilities that depend
only on the word.
"""

from __future__ import annotations

import asyncio
import hashlib
import heapq
import math
import re
from collections.abc import AsyncGenerator, Sequence

from inference_worker.engine.contract import (
    PRIORITY_BACKGROUND,
    Alternative,
    ChatTurn,
    Delta,
    EngineError,
    EngineInfo,
    EngineUsage,
    FinishReason,
    Footprint,
    GenerationRequest,
    PairScore,
    Prompt,
    PromptTooLong,
    Token,
)
from inference_worker.engine.processor_share import ProcessorShare, ProcessorTimes
from inference_worker.engine.scripted_schema import example_text

CJK = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
PIECE = re.compile(rf"\s*[{CJK}]|\s*[^\s{CJK}]+|\s+")
WORD = re.compile(rf"[{CJK}]+|[^\W_]+")
VOCABULARY = 1 << 20
DEFAULT_TEXT = "I could not find that in the help pages."


def pieces(text: str) -> list[str]:
    """Cut `text` as the engine streams it: words with the space before them, CJK characters singly."""
    return PIECE.findall(text)


def token_id(piece: str) -> int:
    """A stable token id of a piece."""
    return _digest(piece) % VOCABULARY


class ScriptedEngine:
    """Engine without a model.

    At most `max_num_seqs` requests are written at once; the others wait by priority, then arrival, as in vLLM.
    `texts` are answered in turn (the last one repeats) when a request has no choices. `delay` is seconds per token.
    `fail_after` makes every stream raise a retryable EngineError after so many tokens. `frozen` keeps it from answering.
    `aborted` lists the request ids whose generator was closed early; `requests` lists every request received.
    """

    def __init__(
        self,
        *texts: str,
        delay: float = 0.0,
        fail_after: int | None = None,
        max_model_len: int = 2048,
        max_num_seqs: int = 256,
        can_generate_freely: bool = False,
        writes: tuple[str, ...] = (),
    ) -> None:
        self.texts = list(texts) or [DEFAULT_TEXT]
        self.delay = delay
        self.fail_after = fail_after
        self.max_model_len = max_model_len
        self.max_num_seqs = max_num_seqs
        self.can_generate_freely = can_generate_freely
        self.writes = writes
        self.requests: list[GenerationRequest] = []
        self.aborted: list[str] = []
        self.running = 0
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self.alive = False
        self.frozen = False
        self.starts = 0
        self._looks = 0.0

    async def start(self) -> None:
        """Become alive."""
        self.alive, self.frozen = True, False
        self.starts += 1

    def render(self, turns: Sequence[ChatTurn]) -> Prompt:
        """ChatML-like rendering; control strings inside a turn are made harmless as in the real engine."""
        safe = ((turn.role, turn.content.replace("<|", "<\u200b|")) for turn in turns)
        text = "".join(f"<|{role}|>\n{content}\n" for role, content in safe) + "<|assistant|>\n"
        return Prompt(text=text, token_ids=tuple(token_id(piece) for piece in pieces(text)))

    def count_tokens(self, text: str) -> int:
        """Number of pieces of `text`."""
        return len(pieces(text))

    async def stream(self, request: GenerationRequest) -> AsyncGenerator[Delta, None]:
        """Stream the first choice or the next scripted text, one piece per delta."""
        self._require_alive()
        self.requests.append(request)
        script, length, reason = self._plan(request)
        self._check_length(request.prompt, length)
        finished = False
        await self._enter(request)
        try:
            for position, piece in enumerate(script):
                await asyncio.sleep(self.delay)
                self._require_alive()
                if self.fail_after is not None and position >= self.fail_after:
                    raise EngineError("The engine process died.", retryable=True)
                last = position == len(script) - 1
                finished = last
                yield Delta(
                    text=piece,
                    tokens=(scripted_token(piece, request.sampling.top_logprobs),),
                    finish_reason=reason if last else None,
                )
        except (GeneratorExit, asyncio.CancelledError):
            if not finished:
                self.aborted.append(request.request_id)
            raise
        finally:
            self._leave()

    async def score(
        self, prompt: Prompt, continuation: Sequence[int], *, priority: int = PRIORITY_BACKGROUND
    ) -> list[float]:
        """Tokens that occur in the prompt are likely (-0.2 nats), others unlikely (-3 nats)."""
        self._require_alive()
        self._check_length(prompt, len(continuation) + 1)
        known = set(prompt.token_ids)
        return [-0.2 if token in known else -3.0 for token in continuation]

    def info(self) -> EngineInfo:
        """Identity of the scripted engine."""
        return EngineInfo(
            model="scripted",
            revision="1",
            quantization="none",
            engine="scripted",
            engine_version="1",
            device="cpu",
            max_model_len=self.max_model_len,
            can_generate_freely=self.can_generate_freely,
            writes=self.writes,
        )

    def footprint(self) -> Footprint:
        """A model of nothing."""
        return Footprint(precision="none", parameters=0, weights_bytes=0, kv_cache_bytes=0, max_sequences=16)

    def usage(self) -> EngineUsage:
        """The streams being read."""
        return EngineUsage(running=self.running)

    async def is_alive(self) -> bool:
        """Whether the engine was started and neither stopped nor killed; a frozen one does not answer."""
        while self.frozen:  # noqa: ASYNC110 - tests set it from their own thread
            await asyncio.sleep(0.01)
        return self.alive

    def processor_times(self) -> ProcessorTimes:
        """Grow at every look, unless frozen."""
        if not self.frozen:
            self._looks += 1.0
        return ProcessorTimes(used=self._looks)

    async def fit(self, share: ProcessorShare) -> None:
        """It computes nothing."""

    async def stop(self) -> None:
        """Stop; running streams raise EngineError at their next token."""
        self.alive = False

    def kill(self) -> None:
        """Die as a crashed engine process does."""
        self.alive = False

    async def _enter(self, request: GenerationRequest) -> None:
        """Wait for a sequence."""
        if self.running < self.max_num_seqs:
            self.running += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (request.priority, len(self.requests), turn))
        try:
            await turn
        except asyncio.CancelledError:
            self.aborted.append(request.request_id)
            if turn.done() and not turn.cancelled():
                self._leave()
            raise

    def _leave(self) -> None:
        """Hand the sequence to the first one that still waits."""
        while self._waiting:
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                return
        self.running -= 1

    def _plan(self, request: GenerationRequest) -> tuple[list[str], int, FinishReason]:
        """The pieces to stream, the length to reserve in the context window, and how the answer ends."""
        if request.sampling.choices:
            script = pieces(request.sampling.choices[0])
            return script, max(len(pieces(choice)) for choice in request.sampling.choices) + 1, "stop"
        if request.sampling.json_schema is not None:
            text = example_text(request.sampling.json_schema)
        else:
            text = self.texts.pop(0) if len(self.texts) > 1 else self.texts[0]
        for stop in request.sampling.stop:
            text = text.split(stop)[0]
        script, limit = pieces(text), request.sampling.max_tokens
        return script[:limit], limit, "length" if len(script) > limit else "stop"

    def _check_length(self, prompt: Prompt, max_tokens: int) -> None:
        if len(prompt.token_ids) + max_tokens > self.max_model_len:
            raise PromptTooLong(prompt_tokens=len(prompt.token_ids), max_tokens=max_tokens, limit=self.max_model_len)

    def _require_alive(self) -> None:
        if not self.alive:
            raise EngineError("The engine is not running.", retryable=True)


def scripted_token(piece: str, top_logprobs: int) -> Token:
    """A token whose probability lies between 0.35 and 0.95, fixed by its text, with descending alternatives."""
    probability = 0.35 + 0.6 * (_digest(piece) % 1000) / 1000
    rest = 1.0 - probability
    others = (
        Alternative(token_id=(token_id(piece) + i) % VOCABULARY, text=f"{piece}~{i}", logprob=math.log(rest / 2**i))
        for i in range(1, top_logprobs)
    )
    best = Alternative(token_id=token_id(piece), text=piece, logprob=math.log(probability))
    entries = sorted((best, *others), key=lambda entry: -entry.logprob)[:top_logprobs]
    rank = 1 + sum(entry.logprob > best.logprob for entry in entries)
    return Token(best.token_id, piece, best.logprob, rank, tuple(entries))


class ScriptedEmbedder:
    """Embedder without a model: words and CJK character pairs hashed into 384 dimensions: similar texts are close."""

    dimensions = 384

    def embed_query(self, text: str) -> list[float]:
        """Vector of a search query."""
        return self._embed(text)

    def embed_passages(self, texts: Sequence[str], *, is_urgent: bool = False) -> list[list[float]]:
        """Vectors of passages, in the same space as queries."""
        return [self._embed(text) for text in texts]

    def count_tokens(self, text: str) -> int:
        """Number of pieces of `text`."""
        return len(pieces(text))

    def info(self) -> dict[str, str]:
        """Identity of the scripted embedder."""
        return {"model": "scripted", "revision": "1"}

    def _embed(self, text: str) -> list[float]:
        vector = [0.0] * self.dimensions
        for feature in _features(text) or [""]:
            digest = _digest(feature)
            vector[digest % self.dimensions] += 1.0 if digest >> 40 & 1 else -1.0
        norm = math.sqrt(sum(value * value for value in vector)) or 1.0
        return [value / norm for value in vector]


class ScriptedReranker:
    """Reranker without a model: the more of the question's words stand in a text, the likelier it answers.

    `questions` lists what was asked. `error` is raised at every call when it is set.
    """

    def __init__(self) -> None:
        self.questions: list[str] = []
        self.error: Exception | None = None

    def score(self, question: str, texts: Sequence[str], *, is_urgent: bool = True) -> list[PairScore]:
        """From -4 for no word of the question to 4 for all of them; whether it answers is one less."""
        self.questions.append(question)
        if self.error is not None:
            raise self.error
        asked = set(_features(question))
        shares = [len(asked & set(_features(text))) / max(len(asked), 1) for text in texts]
        return [PairScore(relevance=8.0 * share - 4.0, answers=8.0 * share - 5.0) for share in shares]

    def info(self) -> dict[str, str]:
        """Identity of the scripted reranker."""
        return {"model": "scripted", "revision": "1"}


def _features(text: str) -> list[str]:
    features: list[str] = []
    for word in WORD.findall(text.lower()):
        if re.match(f"[{CJK}]", word):
            features.extend([*word, *(word[i : i + 2] for i in range(len(word) - 1))])
        else:
            features.append(word.removesuffix("s") if len(word) > 3 else word)
    return features


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())
