"""What was put to the engine and what it generated."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PromptTurn:
    """One message of the chat prompt, before the model's template was applied."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class PromptPassage:
    """Where a candidate's line stands in the prompt's last turn: [start, end) offsets before the template."""

    chunk: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class PromptSection:
    """How many tokens a part of the prompt took and might have taken: system, history, knowledge or question."""

    name: str
    tokens: int
    budget: int


@dataclass(frozen=True, slots=True)
class PromptRecord:
    """The prompt exactly as the engine received it. Traces of earlier versions have no sections."""

    text: str
    token_ids: tuple[int, ...]
    template_version: str
    turns: tuple[PromptTurn, ...] = ()
    passages: tuple[PromptPassage, ...] = ()
    sections: tuple[PromptSection, ...] = ()


@dataclass(frozen=True, slots=True)
class TokenAlternative:
    """A token that the model weighed at one position."""

    id: int
    text: str
    logprob: float


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """A generated token; `rank` 1 is the model's favourite. `alternatives` are the favourites, the likeliest first."""

    id: int
    text: str
    logprob: float
    rank: int
    alternatives: tuple[TokenAlternative, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingRecord:
    """How tokens were picked. `choices` are the texts, `json_schema` (as JSON) the form that the answer was restricted to."""

    max_tokens: int
    temperature: float
    top_p: float
    seed: int | None
    stop: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    top_logprobs: int = 0
    json_schema: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineRecord:
    """What generated the answer: everything that a replay must match."""

    model: str
    revision: str
    quantization: str
    engine: str
    engine_version: str
    device: str
    max_model_len: int
    libraries: dict[str, str] = field(default_factory=dict)
