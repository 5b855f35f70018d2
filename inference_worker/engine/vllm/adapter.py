"""The product's engine: vLLM's AsyncLLM behind the desk's own contract (see engine.py).

vLLM runs the model in processes of its own; this object lives on one asyncio loop. Importing this module is cheap: vLLM
and PyTorch are imported by `start()`, after the environment variables that they read have been set.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import psutil

from inference_worker.engine.contract import (
    PRIORITY_BACKGROUND,
    ChatTurn,
    Delta,
    EngineError,
    EngineInfo,
    EngineUsage,
    Footprint,
    GenerationRequest,
    Prompt,
    PromptTooLong,
    RequestRefused,
    SamplingParameters,
)
from inference_worker.engine.load_log import LoadLog
from inference_worker.engine.processes import (
    end_processes,
    find_processes,
    gpu_memory_bytes,
    memory_bytes,
    processor_times,
)
from inference_worker.engine.processor_share import ProcessorShare, ProcessorTimes
from inference_worker.engine.token_text import TokenText
from inference_worker.engine.vllm import parameters
from inference_worker.engine.vllm.answer_reader import AnswerReader, spell_choices
from inference_worker.engine.vllm.arguments import EngineSettings
from inference_worker.engine.vllm.loading import begin_imports, describe, load, measure

DEATH_POLL_SECONDS = 0.5
# After each question vLLM's worker process keeps a core busy for a second (not on a CPU, see vllm_extensions.waiting).
IDLE_CHECK_SECONDS = 8.0
WARM_UP_TEXT = "Hello, how long does delivery take? " * 40
WARM_UP_ANSWER = "Two days."
# So many words of a quoted answer come at once: few enough to be seen as a stream, many enough to be worth a request.
FORCED_TOKENS = 64
SHUTDOWN_TIMEOUT_SECONDS = 3.0  # then they are killed: they hold nothing worth a wait


logger = logging.getLogger(__name__)


class VLLMEngine:
    """One chat model served by vLLM with continuous batching, priorities and prefix caching."""

    def __init__(self, settings: EngineSettings, load_log: LoadLog | None = None) -> None:
        self.settings = settings
        self.load_log = load_log or LoadLog()
        self._llm: Any = None
        self._generating = 0
        self._answered_at = 0.0
        self._stats: Any = None
        self._processes: list[psutil.Process] = []
        self._threads = self._most_threads = 1
        self._tokenizer: Any = None
        self._text: TokenText | None = None
        self._info: EngineInfo | None = None
        self._footprint: Footprint | None = None

    async def start(self) -> None:
        """Load and warm the model (10 to 60 s). Raises EngineError when it cannot be loaded."""
        if self._llm is not None:
            await self.stop()
        self.begin_imports()
        try:
            self._llm, self._stats = await load(self.settings, self.load_log)
            self._processes = find_processes()
            self._threads = self._most_threads = (await self._llm.collective_rpc("glassdesk_threads"))[0]
            self._tokenizer = self._llm.get_tokenizer()
            backend = self._tokenizer.backend_tokenizer
            special = [str(token) for token in backend.get_added_tokens_decoder().values() if token.special]
            self._text = TokenText(backend.to_str(), special)
            self._info, self._footprint = describe(self._llm, self.settings), measure(self._llm, self.settings)
            with self.load_log.step("warm_up"):
                await self._warm_up()
        except EngineError:
            await self.stop()
            raise
        except Exception as error:
            await self.stop()
            message = f"The model {self.settings.model} could not be loaded: {_first_line(error)}"
            raise EngineError(message, retryable=False) from error

    def render(self, turns: Sequence[ChatTurn]) -> Prompt:
        """Apply the model's chat template; control-token strings inside a turn are made harmless."""
        text = self._ready_text()
        messages = [{"role": turn.role, "content": text.defuse(turn.content)} for turn in turns]
        rendered = str(self._tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))
        return Prompt(text=rendered, token_ids=text.encode_prompt(rendered))

    def count_tokens(self, text: str) -> int:
        """Number of tokens of `text`, without special tokens."""
        return self._ready_text().count(text)

    async def stream(self, request: GenerationRequest) -> AsyncGenerator[Delta, None]:
        """Generate. Closing the generator aborts the request; an engine that dies ends it with EngineError."""
        text, sampling = self._ready_text(), request.sampling
        choices = spell_choices(text, sampling.choices)
        budget = max((len(choice.ids) + 1 for choice in choices), default=sampling.max_tokens)
        self._check_length(request.prompt, budget)
        reader = AnswerReader(
            text,
            prompt=request.prompt.token_ids,
            choices=choices,
            top_logprobs=sampling.top_logprobs,
            end=self._tokenizer.eos_token_id,
        )
        unique = f"{request.request_id}-{uuid.uuid4().hex[:8]}"
        answer = self._quote(request, reader, unique, budget) if choices else self._write(request, reader, unique)
        async with contextlib.aclosing(answer):
            async for delta in answer:
                yield delta

    async def _write(
        self, request: GenerationRequest, reader: AnswerReader, unique: str
    ) -> AsyncGenerator[Delta, None]:
        """Token by token."""
        wanted = parameters.writing(request.sampling)
        async for output in self._generate(request.prompt.token_ids, wanted, unique, request.priority):
            yield reader.read(output)

    async def _quote(
        self, request: GenerationRequest, reader: AnswerReader, unique: str, budget: int
    ) -> AsyncGenerator[Delta, None]:
        """One of the permitted answers, in pieces.

        Where every permitted answer goes on alike, nothing is left to decide: the engine reads those tokens as it reads a
        prompt, many in one step, with the same log-probabilities as if it had written one after the other. So each piece
        is a request: all so far and the next forced tokens as its prompt, and one token written.
        """
        ids = [*request.prompt.token_ids]
        forced: tuple[int, ...] = ()
        ask = partial(parameters.quoting, request.sampling, end=self._tokenizer.eos_token_id)
        while True:
            wanted = ask(reader.permitted(len(forced)), max_tokens=1, has_forced=bool(forced))
            name, is_begun = f"{unique}-{len(ids)}", bool(forced)
            pieces = self._generate([*ids, *forced], wanted, name, request.priority, is_begun=is_begun)
            (output,) = [piece async for piece in pieces]
            if len(output.prompt_logprobs or ()) < len(forced) or (forced and output.num_cached_tokens >= len(ids)):
                break
            delta = reader.read(output, forced=forced)
            yield replace(delta, cached_prompt_tokens=0) if is_begun else delta
            if delta.finish_reason is not None:
                return
            ids += [token.token_id for token in delta.tokens]
            forced = reader.forced(FORCED_TOKENS)
        # The same answer was given before: the cache reaches into it, and the rows of cached tokens are never computed (the
        # new model runner leaves them out, and those that it had before it put a request off).
        wanted = ask(reader.permitted(), max_tokens=budget, has_forced=False)
        async for output in self._generate(ids, wanted, f"{unique}-rest", request.priority, is_begun=True):
            yield replace(reader.read(output), cached_prompt_tokens=0)

    async def score(
        self, prompt: Prompt, continuation: Sequence[int], *, priority: int = PRIORITY_BACKGROUND
    ) -> list[float]:
        """Log-probability (nats) of each token id of `continuation` after `prompt`, in one forward pass."""
        self._check_length(prompt, len(continuation) + 1)
        if not continuation:
            return []
        ids = (*prompt.token_ids, *continuation)
        rows, cached = await self._prompt_logprobs(ids, priority, from_cache=True)
        if cached >= len(prompt.token_ids) or len(rows) < len(continuation):
            # The cache reached into the continuation, whose rows were then never computed.
            rows, _ = await self._prompt_logprobs(ids, priority, from_cache=False)
        # From the end: the old model runner gives a row for every token, the new one none for those from the cache.
        tail = rows[-len(continuation) :]
        return [row[token].logprob for row, token in zip(tail, continuation, strict=True)]

    async def _prompt_logprobs(
        self, ids: Sequence[int], priority: int, *, from_cache: bool
    ) -> tuple[list[Mapping[int, Any]], int]:
        """Rows of log-probabilities, the last of the last token, and how many tokens came from the prefix cache: their rows
        are junk or missing.
        """
        wanted = parameters.scoring(from_cache=from_cache)
        rows: list[Mapping[int, Any]] = []
        cached = 0
        async for output in self._generate(ids, wanted, f"score-{uuid.uuid4().hex}", priority):
            rows = list(output.prompt_logprobs or ())
            cached = output.num_cached_tokens or 0
        return rows, cached

    def info(self) -> EngineInfo:
        """Identity of the loaded model and engine."""
        if self._info is None:
            raise EngineError("The engine has not been started.", retryable=True)
        return self._info

    def footprint(self) -> Footprint:
        """Size of the loaded model."""
        if self._footprint is None:
            raise EngineError("The engine has not been started.", retryable=True)
        return self._footprint

    def usage(self) -> EngineUsage:
        """What vLLM's scheduler told after its last step, and the memory of its processes."""
        stats, processes = self._stats, self._processes
        return EngineUsage(
            running=stats.running if stats else 0,
            waiting=stats.waiting if stats else 0,
            kv_cache_share=stats.kv_cache_share if stats else 0.0,
            memory_bytes=memory_bytes(processes),
            gpu_memory_bytes=gpu_memory_bytes(processes) if self._is_on_gpu else None,
        )

    def processor_times(self) -> ProcessorTimes:
        """Processor time of the engine's processes."""
        return processor_times(self._processes)

    async def fit(self, share: ProcessorShare) -> None:
        """On a CPU: as many threads as find a processor."""
        if self._is_on_gpu or self._llm is None:
            return
        threads = share.fitting_threads(self._threads, self._most_threads)
        if threads == self._threads:
            return
        from vllm.v1.engine.exceptions import EngineDeadError

        try:
            await self._llm.collective_rpc("glassdesk_use_threads", args=(threads,))
        except EngineDeadError as error:
            raise EngineError("The engine process died.", retryable=True) from error
        logger.info("engine_threads count=%d most=%d", threads, self._most_threads)
        self._threads = threads

    @property
    def _is_on_gpu(self) -> bool:
        return self._info is not None and self._info.device == "cuda"

    async def is_alive(self) -> bool:
        """Whether engine and worker processes answer; whoever asks decides how long a busy one may take."""
        if self._llm is None or self._llm.errored:
            return False
        if not self._generating and time.monotonic() - self._answered_at < IDLE_CHECK_SECONDS:
            return True
        # The question goes through to the worker process, which the engine process alone would not vouch for.
        asking = asyncio.ensure_future(self._llm.collective_rpc("check_health"))
        try:
            # A dead engine never answers: vLLM's own word that it died must not wait for the answer.
            while not asking.done():
                await asyncio.wait([asking], timeout=DEATH_POLL_SECONDS)
                if self._llm is None or self._llm.errored:
                    return False
            if asking.exception() is not None:
                return False
            self._answered_at = time.monotonic()
            return True
        finally:
            asking.cancel()

    async def stop(self) -> None:
        """Shut the engine processes down; running requests end with EngineError."""
        llm, self._llm, self._stats, self._processes = self._llm, None, None, []
        if llm is None:
            return
        from vllm.v1.engine.exceptions import EngineDeadError

        llm.output_processor.propagate_error(EngineDeadError())
        await asyncio.sleep(0)
        processes = find_processes()
        llm.shutdown(timeout=SHUTDOWN_TIMEOUT_SECONDS)
        end_processes(processes)

    def begin_imports(self) -> None:
        """Let the engine's libraries be imported in the background; `start` does it too when it was not done before."""
        begin_imports(self.settings)

    async def _generate(
        self, ids: Sequence[int], parameters: Any, request_id: str, priority: int, *, is_begun: bool = False
    ) -> AsyncIterator[Any]:
        """vLLM's outputs with its errors translated. An answer that is begun goes before others of its priority."""
        from vllm.exceptions import VLLMClientError
        from vllm.v1.engine.exceptions import EngineDeadError, EngineGenerateError

        if self._llm is None:
            raise EngineError("The engine is not running.", retryable=True)
        outputs = self._llm.generate(
            {"prompt_token_ids": list(ids)}, parameters, request_id, priority=2 * priority - is_begun
        )
        self._generating += 1
        try:
            async with contextlib.aclosing(outputs):
                async for output in outputs:
                    yield output
        except EngineDeadError as error:
            raise EngineError("The engine process died.", retryable=True) from error
        except EngineGenerateError as error:
            raise EngineError(f"The engine failed: {_first_line(error.__cause__ or error)}", retryable=True) from error
        except (VLLMClientError, ValueError) as error:
            raise RequestRefused(f"The engine refused the request: {_first_line(error)}") from error
        finally:
            self._generating -= 1
            # It may have ended in an error: the next look is a whole one.
            self._answered_at = 0.0

    def _check_length(self, prompt: Prompt, max_tokens: int) -> None:
        limit = self.settings.max_model_len
        if len(prompt.token_ids) + max_tokens > limit:
            raise PromptTooLong(prompt_tokens=len(prompt.token_ids), max_tokens=max_tokens, limit=limit)

    def _ready_text(self) -> TokenText:
        if self._text is None:
            raise EngineError("The engine has not been started.", retryable=True)
        return self._text

    async def _warm_up(self) -> None:
        """Take the way of a customer's answer once: a prompt of usual length, and an answer restricted to given texts."""
        prompt = self.render([ChatTurn("user", WARM_UP_TEXT)])
        sampling = SamplingParameters(max_tokens=8, top_logprobs=5, choices=(WARM_UP_ANSWER,))
        async for _ in self.stream(GenerationRequest("warm-up", prompt, sampling)):
            pass


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]
