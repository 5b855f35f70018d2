"""Putting a recorded request to the engine again, unchanged or with a change, and judging what came back. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from inference_worker.answering.prompt import without_passages
from inference_worker.engine.contract import ChatTurn, Engine, GenerationRequest, Prompt, SamplingParameters
from tracing.analysis_content import APPROXIMATE, CHANGED, EXACT, Difference, TokenChange
from tracing.content import EngineRecord, PromptRecord, SamplingRecord, TokenRecord, TraceContent

# What may differ between two engines that answer alike: everything else is a difference worth naming.
ENGINE_FACTS = ("model", "revision", "quantization", "engine", "engine_version", "device", "max_model_len")


class NotReplayable(Exception):
    """The trace holds no request to an engine; the message says what is missing."""


class UnknownPassage(NotReplayable):
    """A passage to leave out did not stand in the recorded prompt."""


def replay_request(
    content: TraceContent,
    engine: Engine,
    *,
    request_id: str,
    without: Sequence[str] = (),
    is_free: bool = False,
    temperature: float | None = None,
    seed: int | None = None,
    max_tokens: int | None = None,
    priority: int,
) -> GenerationRequest:
    """The recorded request. `without` removes passages by chunk; `is_free` lifts the restriction to the quotes.

    Raises NotReplayable when nothing was generated or a passage to remove was not in the prompt.
    """
    prompt, sampling = content.prompt, content.sampling
    if prompt is None or sampling is None:
        raise NotReplayable("Nothing was generated for this answer, so there is nothing to repeat.")
    parameters = _parameters(sampling, is_free=is_free)
    if temperature is not None:
        parameters = replace(parameters, temperature=temperature)
    if seed is not None:
        parameters = replace(parameters, seed=seed)
    if max_tokens is not None:
        parameters = replace(parameters, max_tokens=max_tokens)
    return GenerationRequest(
        request_id=request_id, prompt=_prompt(content, prompt, engine, without), sampling=parameters, priority=priority
    )


def judge(
    recorded: Sequence[TokenRecord],
    replayed: Sequence[TokenRecord],
    differences: Sequence[Difference],
) -> str:
    """exact, approximate or changed: see `tracing.analysis_content.Replay`."""
    if [token.id for token in recorded] == [token.id for token in replayed] and not differences:
        return EXACT
    if _text(recorded) == _text(replayed):
        return APPROXIMATE
    return CHANGED


def differences_between(
    content: TraceContent, engine: EngineRecord, *, without: Sequence[str], is_free: bool
) -> tuple[Difference, ...]:
    """Everything other than the words that was not the same: engine, libraries and what was changed on purpose."""
    found = []
    if (old := content.engine) is not None:
        facts = [(name, str(getattr(old, name)), str(getattr(engine, name))) for name in ENGINE_FACTS]
        libraries = sorted(old.libraries.keys() | engine.libraries.keys())
        facts += [(name, old.libraries.get(name, ""), engine.libraries.get(name, "")) for name in libraries]
        found = [Difference(name, before, after) for name, before, after in facts if before != after]
    if without and content.prompt is not None:
        count = len(content.prompt.passages)
        found.append(Difference("passages", str(count), str(count - len(without))))
    if is_free and content.sampling is not None and content.sampling.choices:
        found.append(Difference("restriction", "quotes", "none"))
    return tuple(found)


def token_changes(recorded: Sequence[TokenRecord], replayed: Sequence[TokenRecord]) -> tuple[TokenChange, ...]:
    """The stretches of tokens that differ."""
    matcher = SequenceMatcher(None, [token.id for token in recorded], [token.id for token in replayed], autojunk=False)
    return tuple(TokenChange(*span) for kind, *span in matcher.get_opcodes() if kind != "equal")


def shifts(recorded: Sequence[TokenRecord], replayed: Sequence[TokenRecord]) -> tuple[float | None, float | None]:
    """Largest and mean absolute difference of the log-probabilities, over the tokens before the first difference."""
    moved = []
    for old, new in zip(recorded, replayed, strict=False):
        if old.id != new.id:
            break
        moved.append(abs(old.logprob - new.logprob))
    return (max(moved), sum(moved) / len(moved)) if moved else (None, None)


def _text(tokens: Sequence[TokenRecord]) -> str:
    return "".join(token.text for token in tokens)


def _parameters(sampling: SamplingRecord, *, is_free: bool) -> SamplingParameters:
    return SamplingParameters(
        max_tokens=sampling.max_tokens,
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        seed=sampling.seed,
        stop=sampling.stop,
        choices=() if is_free else sampling.choices,
        top_logprobs=sampling.top_logprobs,
        json_schema=None if sampling.json_schema is None else json.loads(sampling.json_schema),
    )


def _prompt(content: TraceContent, record: PromptRecord, engine: Engine, without: Sequence[str]) -> Prompt:
    same_model = content.engine is not None and (
        (content.engine.model, content.engine.revision) == (engine.info().model, engine.info().revision)
    )
    if not without and same_model:
        return Prompt(record.text, record.token_ids)
    spans = [(each.start, each.end) for each in record.passages if each.chunk in without]
    if len(spans) != len(set(without)):
        raise UnknownPassage("A passage to leave out isn't in the recorded prompt.")
    turns = [ChatTurn(turn.role, turn.content) for turn in record.turns]  # type: ignore[arg-type]
    return engine.render(without_passages(turns, spans))
