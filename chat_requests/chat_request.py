"""A chat completion request as the desk understands it. What it cannot honour it refuses by name, never silently."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from chat_requests.errors import UnknownParameter, UnsupportedParameter
from chat_requests.fields import flag, integer, number, text
from chat_requests.messages import Turn, read_messages
from chat_requests.response_format import read_response_format
from conversations.parameters import RequestParameters
from conversations.validation import REFERENCE_CHARACTERS
from helpdesk.errors import InvalidInput

MAX_CHOICES = 4
MAX_TOKENS = 32_768
LEAST_TOP_P = 0.01
# OpenAI's seeds are 64-bit integers, the engine's have 31 bits.
SEEDS, ENGINE_SEEDS = range(-(2**63), 2**63), 2**31

UNDERSTOOD = {
    "model",
    "messages",
    "stream",
    "stream_options",
    "temperature",
    "top_p",
    "max_tokens",
    "max_completion_tokens",
    "seed",
    "stop",
    "n",
    "logprobs",
    "top_logprobs",
    "response_format",
    "user",
    "safety_identifier",
    "glassdesk",
}
# Parameters of OpenAI's that the desk has nothing for, with the values that ask for nothing; null does everywhere.
WITHOUT_EFFECT: Mapping[str, tuple[object, ...]] = {
    "audio": (),
    "frequency_penalty": (0,),
    "function_call": ("none", "auto"),
    "functions": ([],),
    "logit_bias": ({},),
    "modalities": (["text"],),
    "moderation": (),
    "parallel_tool_calls": (True, False),
    "prediction": (),
    "presence_penalty": (0,),
    "prompt_cache_options": (),
    "service_tier": ("auto", "default"),
    "store": (False, True),
    "tool_choice": ("none", "auto"),
    "tools": ([],),
    "verbosity": ("medium",),
    "web_search_options": (),
}
# Notes of the caller's own, hints to OpenAI's caches, and how long to think: whatever they say, it cannot change an answer.
IGNORED = {"metadata", "prompt_cache_key", "prompt_cache_retention", "reasoning_effort"}


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


def read_chat_request(body: object, *, needs_model: bool = True, grounded: bool = True) -> ChatRequest:
    """The request in a decoded JSON body. Raises InvalidInput, whose details name the parameter.

    `grounded` holds where the body says nothing; a batch may set it for all of its items.
    """
    if not isinstance(body, dict):
        raise InvalidInput(_("The body must be a JSON object."))
    _refuse_what_has_no_effect(body)
    extras = _extras(body.get("glassdesk"))
    grounded = flag(extras, "grounded", default=grounded, prefix="glassdesk.")
    messages = read_messages(body.get("messages"), grounded=grounded)
    logprobs = flag(body, "logprobs", default=False)
    top_logprobs = integer(body, "top_logprobs")
    if top_logprobs and not logprobs:
        raise InvalidInput(_("“top_logprobs” needs “logprobs”: true."), parameter="top_logprobs")
    return ChatRequest(
        model=text(body, "model", required=needs_model, limit=200),
        turns=messages.turns,
        parameters=RequestParameters(
            temperature=number(body, "temperature"),
            top_p=_top_p(body),
            max_tokens=_max_tokens(body),
            seed=_seed(body),
            stop=_stop(body.get("stop")),
            top_logprobs=top_logprobs if logprobs else None,
            grounded=grounded,
            # An answer that is given again was not written anew: it has no probabilities of its own.
            use_cache=flag(extras, "use_cache", default=True, prefix="glassdesk.") and not logprobs,
            instructions=messages.instructions,
            json_schema=read_response_format(body.get("response_format"), grounded=grounded),
        ),
        choices=_choices(body),
        stream=flag(body, "stream", default=False),
        include_usage=_include_usage(body),
        logprobs=(top_logprobs or 0) if logprobs else None,
        customer=_customer(body),
    )


def _refuse_what_has_no_effect(body: Mapping[str, Any]) -> None:
    for name, value in body.items():
        if name in UNDERSTOOD or name in IGNORED:
            continue
        if name not in WITHOUT_EFFECT:
            raise UnknownParameter(str(name)[:100])
        if value is not None and not any(_is_same(value, neutral) for neutral in WITHOUT_EFFECT[name]):
            raise UnsupportedParameter(name)


def _is_same(value: object, neutral: object) -> bool:
    """Equal, and true or false only where that is meant."""
    return value == neutral and isinstance(value, bool) == isinstance(neutral, bool)


def _extras(value: object) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidInput(_("“glassdesk” must be an object."), parameter="glassdesk")
    for name in value:
        if name not in {"grounded", "use_cache"}:
            raise UnknownParameter(f"glassdesk.{name}"[:100])
    return value


def _top_p(body: Mapping[str, Any]) -> float | None:
    """The nucleus; 0 means the likeliest token alone, as the least that the engine takes does."""
    top_p = number(body, "top_p")
    return max(top_p, LEAST_TOP_P) if top_p is not None and top_p >= 0 else top_p


def _max_tokens(body: Mapping[str, Any]) -> int | None:
    """The limit; one that no engine reaches is the highest."""
    old, new = integer(body, "max_tokens"), integer(body, "max_completion_tokens")
    if old is not None and new is not None and old != new:
        raise InvalidInput(
            _("“max_tokens” is the old name of “max_completion_tokens”. Send one."), parameter="max_tokens"
        )
    limit = new if old is None else old
    return None if limit is None else min(limit, MAX_TOKENS)


def _seed(body: Mapping[str, Any]) -> int | None:
    """The seed's last 31 bits: the same seed is always the same one, and most clients' are as they were sent."""
    seed = integer(body, "seed")
    if seed is not None and seed not in SEEDS:
        raise InvalidInput(_("“seed” must be a whole number of 64 bits."), parameter="seed")
    return None if seed is None else seed % ENGINE_SEEDS


def _stop(value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    stops = [value] if isinstance(value, str) else value
    if not isinstance(stops, list) or not all(isinstance(stop, str) for stop in stops):
        raise InvalidInput(_("“stop” must be a text or a list of texts."), parameter="stop")
    return tuple(stops)


def _choices(body: Mapping[str, Any]) -> int:
    choices = integer(body, "n")
    if choices is None:
        return 1
    if not 1 <= choices <= MAX_CHOICES:
        raise InvalidInput(_("“n” must lie between 1 and %(limit)d.") % {"limit": MAX_CHOICES}, parameter="n")
    return choices


def _include_usage(body: Mapping[str, Any]) -> bool:
    options = body.get("stream_options")
    if options is None or options == {}:
        return False
    if not isinstance(options, dict) or not body.get("stream"):
        raise InvalidInput(_("“stream_options” is an object and needs “stream”: true."), parameter="stream_options")
    for name in options:
        # The desk's streams carry no padding whose length would have to hide the words'.
        if name not in {"include_usage", "include_obfuscation"}:
            raise UnknownParameter(f"stream_options.{name}"[:100])
    return flag(options, "include_usage", default=False, prefix="stream_options.")


def _customer(body: Mapping[str, Any]) -> str:
    name = "user" if body.get("user") is not None else "safety_identifier"
    return text(body, name, limit=REFERENCE_CHARACTERS)
