"""The engine contract: what an inference engine must do for the desk, in our own types.

`VLLMEngine` (vllm/adapter.py) is the product; `ScriptedEngine` (scripted.py) serves fast tests.
Nothing outside the implementations sees a vendor's type.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from inference_worker.engine.processor_share import ProcessorShare, ProcessorTimes

FinishReason = Literal["stop", "length", "abort"]

PRIORITY_INTERACTIVE = 0
PRIORITY_BACKGROUND = 100

# How much a reranker reads: of a question with its text together, and of the question (its end when it is longer).
MAX_PAIR_TOKENS = 160
MAX_QUESTION_TOKENS = 64


class EngineError(Exception):
    """The engine cannot serve; `retryable` says whether another attempt may succeed."""

    def __init__(self, message: str, *, retryable: bool) -> None:
        super().__init__(message)
        self.retryable = retryable


class PromptTooLong(EngineError):
    """Prompt and answer budget together exceed the model's context window."""

    def __init__(self, *, prompt_tokens: int, max_tokens: int, limit: int) -> None:
        super().__init__(
            f"The prompt has {prompt_tokens} tokens and {max_tokens} are reserved for the answer, but the model's "
            f"context window is {limit} tokens. Shorten the prompt or lower max_tokens.",
            retryable=False,
        )


class RequestRefused(EngineError):
    """The engine cannot serve this request as it was asked, such as a JSON schema that it has no grammar for."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retryable=False)


@dataclass(frozen=True, slots=True)
class ChatTurn:
    """One message of a chat prompt."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class SamplingParameters:
    """How to pick tokens. Guided decoding: `choices` restricts the whole answer to one of the given texts, of which many
    tokens may come at once, `json_schema` to JSON texts of that schema (without `choices` only, and with
    log-probabilities of the restricted distribution).
    """

    max_tokens: int = 256
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = 0
    stop: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    top_logprobs: int = 5
    json_schema: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.max_tokens <= 32_768:
            raise ValueError("max_tokens must lie between 1 and 32768")
        if not 0.0 <= self.temperature <= 2.0:
            raise ValueError("temperature must lie between 0 and 2")
        if not 0.0 < self.top_p <= 1.0:
            raise ValueError("top_p must lie above 0 and at most 1")
        if not 0 <= self.top_logprobs <= 20:
            raise ValueError("top_logprobs must lie between 0 and 20")
        if self.choices and self.json_schema is not None:
            raise ValueError("choices and json_schema exclude each other")


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt as the engine receives it: the rendered text and its token ids (both go into the trace)."""

    text: str
    token_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """One answer to generate. A lower `priority` is served first."""

    request_id: str
    prompt: Prompt
    sampling: SamplingParameters = field(default_factory=SamplingParameters)
    priority: int = PRIORITY_INTERACTIVE


@dataclass(frozen=True, slots=True)
class Alternative:
    """A token that the model weighed at one position. `logprob` is natural-log, from the unmasked distribution."""

    token_id: int
    text: str
    logprob: float


@dataclass(frozen=True, slots=True)
class Token:
    """A generated token with its log-probability, its rank (1 = the model's favourite) and the alternatives."""

    token_id: int
    text: str
    logprob: float
    rank: int
    alternatives: tuple[Alternative, ...] = ()


@dataclass(frozen=True, slots=True)
class Delta:
    """What one engine step added. `text` may be empty while a multi-byte character is incomplete."""

    text: str
    tokens: tuple[Token, ...]
    finish_reason: FinishReason | None = None
    cached_prompt_tokens: int = 0


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What answered: everything that a replay must match, and what may be asked of it.

    `writes` holds the languages (`en`, `zh`) that the model writes, for free answers and translations.
    `can_generate_freely` says whether the automatic style uses that.
    """

    model: str
    revision: str
    quantization: str
    engine: str
    engine_version: str
    device: str
    max_model_len: int
    can_generate_freely: bool
    writes: tuple[str, ...] = ()
    libraries: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Footprint:
    """What the loaded model is and takes. `precision` is int4, int8, bf16, fp16 or fp32; sizes are bytes, 0 if unknown.

    `weights_bytes` is the checkpoint's size on disk.
    """

    precision: str
    parameters: int
    weights_bytes: int
    kv_cache_bytes: int
    max_sequences: int


@dataclass(frozen=True, slots=True)
class EngineUsage:
    """What the engine is doing at this moment. `kv_cache_share` is 0 to 1; memory is of the engine's processes."""

    running: int = 0
    waiting: int = 0
    kv_cache_share: float = 0.0
    memory_bytes: int = 0
    gpu_memory_bytes: int | None = None


class Engine(Protocol):
    """One loaded chat model. Safe to call from many threads' coroutines on the engine's own loop."""

    async def start(self) -> None:
        """Load and warm the model; returns when the first request would be served at full speed."""

    def render(self, turns: Sequence[ChatTurn]) -> Prompt:
        """Apply the model's chat template (with the generation prompt) and tokenize. Pure, thread-safe."""

    def count_tokens(self, text: str) -> int:
        """Number of tokens of `text`, without special tokens. Pure, thread-safe."""

    def stream(self, request: GenerationRequest) -> AsyncGenerator[Delta, None]:
        """Generate. Closing the generator aborts the request in the engine.

        Raises PromptTooLong or RequestRefused before the first delta, EngineError when the engine dies.
        """

    async def score(
        self, prompt: Prompt, continuation: Sequence[int], *, priority: int = PRIORITY_BACKGROUND
    ) -> list[float]:
        """Log-probability (nats) of each token id of `continuation` after `prompt`."""

    def info(self) -> EngineInfo:
        """Identity of the loaded model and engine."""

    def footprint(self) -> Footprint:
        """Size of the loaded model."""

    def usage(self) -> EngineUsage:
        """Requests, cache and memory now. Cheap, thread-safe, never raises."""

    async def is_alive(self) -> bool:
        """Whether every process of the engine answers; waits for the step in progress, however long that takes."""

    def processor_times(self) -> ProcessorTimes:
        """Processor time that its processes used and waited for; neither grows when they are frozen."""

    async def fit(self, share: ProcessorShare) -> None:
        """Compute with as many threads as find a processor, where the engine has a say in that. Raises EngineError."""

    async def stop(self) -> None:
        """Shut the engine down; running requests end with EngineError."""


class Embedder(Protocol):
    """One loaded embedding model: unit-length float vectors of `dimensions` numbers."""

    dimensions: int

    def embed_query(self, text: str) -> list[float]:
        """Vector of a search query ("query: " prefix for the e5 family)."""

    def embed_passages(self, texts: Sequence[str], *, is_urgent: bool = False) -> list[list[float]]:
        """Vectors of passages ("passage: " prefix for the e5 family). Urgent ones go before those that nobody waits for."""

    def count_tokens(self, text: str) -> int:
        """Tokens of `text` in the embedding model's vocabulary."""

    def info(self) -> dict[str, str]:
        """Model name, revision and library versions."""


@dataclass(frozen=True, slots=True)
class PairScore:
    """How a text fits a question, as logits: `relevance` is for the order, `answers` says whether it answers the question."""

    relevance: float
    answers: float


class Reranker(Protocol):
    """One loaded model that reads a question and a text together. Safe to call from several threads."""

    def score(self, question: str, texts: Sequence[str], *, is_urgent: bool = True) -> list[PairScore]:
        """The scores of each text, in the order given. Urgent calls go before those that nobody waits for."""

    def info(self) -> dict[str, str]:
        """Model name, revision, number type and library versions: everything that its scores depend on."""
