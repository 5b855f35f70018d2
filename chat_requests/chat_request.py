"""A chat completion request as the desk understands it. What it cannot honour it refuses by name, never silently."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

from django.utils.translation import gettext as _
from pydantic import AfterValidator, model_validator

from chat_requests.errors import UnknownParameter
from chat_requests.messages import ChatMessages, Turn, said_in
from chat_requests.neutral import AsksNothing
from chat_requests.response_format import read_response_format
from conversations.parameters import RequestParameters, Texts
from conversations.validation import CONTROLS, REFERENCE_CHARACTERS
from helpdesk.api.vocabulary import Between, Check, Flag, Mistake, Number, Refused, Vocabulary, Whole
from helpdesk.errors import InvalidInput

MAX_CHOICES = 4
MAX_MODEL_CHARACTERS = 200
MAX_TOKENS = 32_768
LEAST_TOP_P = 0.01
# OpenAI's seeds are 64-bit integers, the engine's have 31 bits.
SEEDS, ENGINE_SEEDS = range(-(2**63), 2**63), 2**31


@dataclass(frozen=True)
class OneLine(Check):
    """A text of at most so many characters on one line."""

    limit: int

    def look(self, value: Any) -> None:
        if len(value) > self.limit or CONTROLS.search(value) or not {"\n", "\t"}.isdisjoint(value):
            raise Refused.saying(
                _("“%(name)s” can have up to %(limit)d characters and no control characters."), limit=self.limit
            )


def _seed(seed: int | None) -> int | None:
    """The last 31 bits: the same seed is always the same one, and most clients' are as they were sent."""
    if seed is not None and seed not in SEEDS:
        raise Refused.saying(_("“seed” must be a 64-bit integer."))
    return None if seed is None else seed % ENGINE_SEEDS


def _top_p(top_p: float | None) -> float | None:
    """0 means the likeliest token alone, as the least that the engine takes does."""
    return max(top_p, LEAST_TOP_P) if top_p is not None and top_p >= 0 else top_p


def _reachable(limit: int | None) -> int | None:
    """A limit that no engine reaches is the highest."""
    return None if limit is None else min(limit, MAX_TOKENS)


class Extras(Vocabulary):
    """What the desk has beyond OpenAI's parameters."""

    unknown: ClassVar[Mistake] = UnknownParameter

    grounded: Flag | None = None
    use_cache: Flag | None = None


class StreamOptions(Vocabulary):
    """The desk's streams carry no padding whose length would have to hide the words'."""

    unknown: ClassVar[Mistake] = UnknownParameter

    include_usage: Flag = False
    include_obfuscation: Any = None


class ChatBody(Vocabulary):
    """A body of `/v1/chat/completions`, also as a line of a batch. The parameters' ranges are `RequestParameters`'."""

    unknown: ClassVar[Mistake] = UnknownParameter

    model: Annotated[str | None, OneLine(MAX_MODEL_CHARACTERS)] = None
    messages: ChatMessages
    stream: Flag = False
    stream_options: StreamOptions = StreamOptions()
    temperature: Number | None = None
    top_p: Annotated[Number | None, AfterValidator(_top_p)] = None
    max_tokens: Annotated[Whole | None, AfterValidator(_reachable)] = None
    max_completion_tokens: Annotated[Whole | None, AfterValidator(_reachable)] = None
    seed: Annotated[Whole | None, AfterValidator(_seed)] = None
    stop: Texts | None = None
    n: Annotated[Whole, Between(1, MAX_CHOICES)] = 1
    logprobs: Flag = False
    top_logprobs: Whole | None = None
    response_format: Any = None
    user: Annotated[str | None, OneLine(REFERENCE_CHARACTERS)] = None
    safety_identifier: Annotated[str | None, OneLine(REFERENCE_CHARACTERS)] = None
    glassdesk: Extras = Extras()

    # What the desk has nothing for.
    audio: Annotated[Any, AsksNothing()] = None
    frequency_penalty: Annotated[Any, AsksNothing(0)] = None
    function_call: Annotated[Any, AsksNothing("none", "auto")] = None
    functions: Annotated[Any, AsksNothing([])] = None
    logit_bias: Annotated[Any, AsksNothing({})] = None
    modalities: Annotated[Any, AsksNothing(["text"])] = None
    moderation: Annotated[Any, AsksNothing()] = None
    parallel_tool_calls: Annotated[Any, AsksNothing(True, False)] = None
    prediction: Annotated[Any, AsksNothing()] = None
    presence_penalty: Annotated[Any, AsksNothing(0)] = None
    prompt_cache_options: Annotated[Any, AsksNothing()] = None
    service_tier: Annotated[Any, AsksNothing("auto", "default")] = None
    store: Annotated[Any, AsksNothing(True, False)] = None
    tool_choice: Annotated[Any, AsksNothing("none", "auto")] = None
    tools: Annotated[Any, AsksNothing([])] = None
    verbosity: Annotated[Any, AsksNothing("medium")] = None
    web_search_options: Annotated[Any, AsksNothing()] = None

    # Notes of the caller's own, hints to OpenAI's caches, and how long to think: none can change an answer.
    metadata: Any = None
    prompt_cache_key: Any = None
    prompt_cache_retention: Any = None
    reasoning_effort: Any = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.top_logprobs and not self.logprobs:
            raise Refused.saying(_("“top_logprobs” requires “logprobs”: true."), "top_logprobs")
        limits = {self.max_tokens, self.max_completion_tokens} - {None}
        if len(limits) > 1:
            raise Refused.saying(
                _("“max_tokens” is the old name for “max_completion_tokens”. Send only one of them."), "max_tokens"
            )
        if self.stream_options.model_fields_set and not self.stream:
            raise Refused.saying(_("“stream_options” must be an object and requires “stream”: true."), "stream_options")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """What is asked. `logprobs` is the number of alternatives to return for each token; None returns no probabilities."""

    model: str
    turns: tuple[Turn, ...]
    parameters: RequestParameters
    choices: int = 1
    stream: bool = False
    include_usage: bool = False
    logprobs: int | None = None
    customer: str = ""

    @property
    def question(self) -> str:
        """The last message, which is the one to answer."""
        return self.turns[-1].body

    @property
    def history(self) -> tuple[Turn, ...]:
        """The messages before it."""
        return self.turns[:-1]


def read_chat_request(given: object) -> ChatRequest:
    """The request in a decoded JSON body. Raises InvalidInput, whose details name the parameter."""
    body = ChatBody.read(given)
    if not body.model:
        raise InvalidInput(_("“%(name)s” must be a string.") % {"name": "model"}, parameter="model")
    return request_in(body)


def request_in(body: ChatBody, *, grounded: bool = True) -> ChatRequest:
    """What a body asks for. `grounded` holds where it says nothing; a batch may set it for all of its items."""
    extras = body.glassdesk
    grounded = grounded if extras.grounded is None else extras.grounded
    said = said_in(body.messages, grounded=grounded)
    logprobs = (body.top_logprobs or 0) if body.logprobs else None
    limit = body.max_tokens if body.max_completion_tokens is None else body.max_completion_tokens
    return ChatRequest(
        model=body.model or "",
        turns=said.turns,
        parameters=RequestParameters(
            temperature=body.temperature,
            top_p=body.top_p,
            max_tokens=limit,
            seed=body.seed,
            stop=body.stop,
            top_logprobs=body.top_logprobs if body.logprobs else None,
            grounded=grounded,
            # A cached answer was not written anew: it has no probabilities of its own.
            use_cache=extras.use_cache is not False and not body.logprobs,
            instructions=said.instructions,
            json_schema=read_response_format(body.response_format, grounded=grounded),
        ),
        choices=body.n,
        stream=body.stream,
        include_usage=body.stream_options.include_usage,
        logprobs=logprobs,
        customer=body.safety_identifier or "" if body.user is None else body.user,
    )
