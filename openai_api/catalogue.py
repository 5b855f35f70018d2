"""The models that a company's callers may name: those with which its assistants answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from conversations.models import Assistant
from helpdesk.workers import read_heartbeats
from openai_api.errors import ModelNotFound, NoModelReady

# Whatever the company's assistant is set to, so that a program need not change with the model.
DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Choice:
    """An assistant and the name of the model with which it answers; empty while no worker has said."""

    assistant: Assistant
    model: str


def choices() -> list[Choice]:
    """Every model once, the company's own assistant first. Runs inside `tenant_atomic`. Raises redis.RedisError."""
    served = _served_models()
    found: dict[str, Choice] = {}
    for assistant in Assistant.objects.order_by("-is_default", "name", "id"):
        model = assistant.model or (served[0] if served else "")
        if model in served or not assistant.model:
            found.setdefault(model, Choice(assistant, model))
    return list(found.values())


def choose(name: str) -> Choice:
    """The assistant that answers to this model name. Raises ModelNotFound, or NoModelReady when nothing is served."""
    offered = choices()
    if not offered or not offered[0].model:
        raise NoModelReady
    if name == DEFAULT:
        return offered[0]
    for choice in offered:
        if choice.model == name:
            return choice
    raise ModelNotFound(name)


def described() -> list[dict[str, Any]]:
    """The models as OpenAI's `model` objects. Runs inside `tenant_atomic`."""
    return [
        {
            "id": choice.model,
            "object": "model",
            "created": 0,
            "owned_by": "glassdesk",
            "assistant": choice.assistant.name,
        }
        for choice in choices()
        if choice.model
    ]


def _served_models() -> list[str]:
    """The names under which workers that reported lately serve models, in a steady order."""
    return sorted({str(status["model"]) for status in read_heartbeats() if status.get("ready")})
