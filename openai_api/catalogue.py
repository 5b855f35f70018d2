"""The models that a company's callers may name: those with which its assistants answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from conversations.models import Assistant
from helpdesk.queue.workers import served_models
from openai_api.errors import ModelNotFound, NoModelReady

# Whatever the company's assistant is set to, so that an API client need not change with the model.
DEFAULT = "default"
# The name by which callers choose each model that answers now, by its alias.
WarmModels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Choice:
    """An assistant and the name by which callers choose it: its model's alias, or the name of the desk's first model."""

    assistant: Assistant
    model: str


def warm_models() -> WarmModels:
    """The models that answer now. Asks Redis, so before any transaction; raises redis.RedisError."""
    return {model.alias: model.alias or model.model for model in served_models() if model.is_warm}


def choices(warm: WarmModels) -> list[Choice]:
    """Every warm model of the company's assistants once, its own assistant's first. Runs inside `tenant_atomic`."""
    found: dict[str, Choice] = {}
    for assistant in Assistant.objects.order_by("-is_default", "name", "id"):
        if name := warm.get(assistant.model):
            found.setdefault(name, Choice(assistant, name))
    return list(found.values())


def choose(name: str, warm: WarmModels) -> Choice:
    """The assistant that answers to this model name. Runs inside `tenant_atomic`.

    Raises ModelNotFound, or NoModelReady when nothing is served.
    """
    offered = choices(warm)
    if not offered:
        raise NoModelReady
    if name == DEFAULT:
        return _of_default_assistant(offered)
    for choice in offered:
        if choice.model == name:
            return choice
    raise ModelNotFound(name)


def _of_default_assistant(offered: list[Choice]) -> Choice:
    """The company's own assistant, or nothing: another one's model is no stand-in."""
    if not offered[0].assistant.is_default:
        raise NoModelReady
    return offered[0]


def described(warm: WarmModels) -> list[dict[str, Any]]:
    """The models as OpenAI's `model` objects. Runs inside `tenant_atomic`."""
    return [_object(choice.model, choice) for choice in choices(warm)]


def described_model(name: str, warm: WarmModels) -> dict[str, Any]:
    """One of them, or `default`, under the name that was asked for. Raises ModelNotFound, or NoModelReady."""
    return _object(name, choose(name, warm))


def _object(name: str, choice: Choice) -> dict[str, Any]:
    return {
        "id": name,
        "object": "model",
        "created": 0,
        "owned_by": "glassdesk",
        "assistant": choice.assistant.name,
    }
