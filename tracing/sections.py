"""A trace's content in two sections (since format 2): what came from the customer and the articles, and what was answered.

Each is sealed and deleted by itself; what is left still reads as one content.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tracing.columns import FORMAT_VERSION
from tracing.content import TraceContent
from tracing.plain import Malformed, to_plain

# Later formats have more columns that the chain covers, or newer shapes of what is in the sections.
FORMATS = range(2, FORMAT_VERSION + 1)
PROMPT_FIELDS = ("question", "search_query", "history", "prompt", "dropped", "question_terms", "topics", "missing")
PASSAGE_FIELDS = ("slug", "title", "heading", "text")


@dataclass(frozen=True, slots=True)
class Sections:
    """Both sections as JSON; None is a section that was deleted."""

    prompt: bytes | None
    answer: bytes | None


def split(content: TraceContent) -> Sections:
    """The two sections. Raises Malformed for a value that JSON cannot carry."""
    plain = content.to_plain()
    prompt = {name: plain.pop(name) for name in PROMPT_FIELDS}
    prompt["passages"] = [{name: each.pop(name) for name in PASSAGE_FIELDS} for each in plain["candidates"]]
    prompt["choices"] = plain["sampling"].pop("choices") if plain["sampling"] else []
    return Sections(_encode(prompt), _encode(plain))


def join(sections: Sections, *, kept: dict[str, Any]) -> TraceContent:
    """The content; fields of a deleted section are empty. `kept` fills those that a content cannot lack.

    Raises Malformed for another format or shape, or when the sections do not belong together.
    """
    plain = dict(kept) if sections.answer is None else _decode(sections.answer)
    prompt: dict[str, Any] = {"question": ""} if sections.prompt is None else _decode(sections.prompt)
    passages: Any = prompt.pop("passages", None)
    choices: Any = prompt.pop("choices", [])
    if sections.answer is not None:
        plain["candidates"] = _with_texts(plain.get("candidates"), passages)
        if isinstance(plain.get("sampling"), dict):
            plain["sampling"]["choices"] = choices
    return TraceContent.from_plain(plain | prompt)


def kept_columns(*, style: str, language: str, band: str, steps: list[dict[str, Any]]) -> dict[str, Any]:
    """What the plain columns still know of an answer that was deleted."""
    confidence = {"band": band, "retrieval": None, "token_probability": None}
    return {"style": style, "language": language, "answer": "", "confidence": confidence, "steps": to_plain(steps)}


def _with_texts(candidates: Any, passages: Any) -> list[dict[str, Any]]:
    """Each candidate with its passage's text; without texts the quotes' offsets mean nothing and go too."""
    if not isinstance(candidates, list) or not all(isinstance(each, dict) for each in candidates):
        raise Malformed("the candidates are no list")
    if passages is None:
        return [each | dict.fromkeys(PASSAGE_FIELDS, "") | {"quoted": []} for each in candidates]
    if not isinstance(passages, list) or len(passages) != len(candidates):
        raise Malformed("the sections do not belong together")
    return [each | passage for each, passage in zip(candidates, passages, strict=True)]


def _encode(plain: dict[str, Any]) -> bytes:
    whole = {"format": FORMAT_VERSION, **plain}
    # Half of a surrogate pair is no text in any encoding; it must not keep a whole answer from being stored.
    return json.dumps(whole, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode(errors="replace")


def _decode(encoded: bytes) -> dict[str, Any]:
    try:
        plain: Any = json.loads(encoded)
    except ValueError:
        raise Malformed("the section is not JSON") from None
    if not isinstance(plain, dict) or plain.pop("format", None) not in FORMATS:
        raise Malformed("the section is of no known format")
    return plain
