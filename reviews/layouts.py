"""Examples in the layouts of those who read them. Pure.

`preference` and `supervised` are the conversational formats of TRL ("Dataset formats and types": preference with an explicit
prompt for DPOTrainer, prompt-completion for SFTTrainer), one JSON object a line. `questions` is what `evaluate_help_centre`
reads beside a folder of articles (docs/evaluation.md).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any

from reviews.examples import TEACHABLE, Example
from reviews.models import Cause

Message = dict[str, str]
_TASK = {
    "en": "Answer the customer from these passages only. If they do not answer the question, say so.",
    "zh": "只根据以下段落回答客户。如果段落没有回答这个问题，请说明。",
}
_NO_PASSAGES = {"en": "No passage was found.", "zh": "没有找到段落。"}


class Layout(StrEnum):
    """What a file is for."""

    PREFERENCE = "preference"
    SUPERVISED = "supervised"
    QUESTIONS = "questions"


def lines(examples: Iterable[Example], *, layout: Layout, articles: Mapping[str, str]) -> Iterator[str]:
    """The file piece by piece. `articles` has the path of each article by its id, without an ending (`en/returns`)."""
    if layout == Layout.QUESTIONS:
        yield json.dumps(_questions(examples, articles), ensure_ascii=False, indent=1) + "\n"
        return
    make = _MAKERS[layout]
    for example in examples:
        made = make(example)
        if made is not None:
            yield json.dumps(made | _about(example), ensure_ascii=False) + "\n"


def _preference(example: Example) -> dict[str, Any] | None:
    if example.cause not in TEACHABLE or not example.correction or example.correction == example.answer:
        return None
    return {
        "prompt": _prompt(example),
        "chosen": [{"role": "assistant", "content": example.correction}],
        "rejected": [{"role": "assistant", "content": example.answer}],
    }


def _supervised(example: Example) -> dict[str, Any] | None:
    text = example.answer if example.is_good else example.correction
    if not text or not (example.is_good or example.cause in TEACHABLE):
        return None
    return {"prompt": _prompt(example), "completion": [{"role": "assistant", "content": text}]}


_MAKERS: dict[Layout, Callable[[Example], dict[str, Any] | None]] = {
    Layout.PREFERENCE: _preference,
    Layout.SUPERVISED: _supervised,
}


def _prompt(example: Example) -> list[Message]:
    language = example.language if example.language in _TASK else "en"
    passages = "\n\n".join(f"[{number}] {each.title}\n{each.text}" for number, each in enumerate(example.passages, 1))
    system = f"{_TASK[language]}\n\n{passages or _NO_PASSAGES[language]}"
    turns = [{"role": turn.role, "content": turn.content} for turn in example.history]
    return [{"role": "system", "content": system}, *turns, {"role": "user", "content": example.question}]


def _about(example: Example) -> dict[str, Any]:
    """Columns that trainers pass over: where a line comes from, and how sure it is."""
    return {
        "id": str(example.item_id),
        "language": example.language,
        "cause": example.cause,
        "reviewers": example.reviewers,
    }


def _questions(examples: Iterable[Example], articles: Mapping[str, str]) -> dict[str, list[dict[str, str]]]:
    """What was answered rightly with a quote, and what the articles do not answer; each question once, as last settled."""
    found: dict[tuple[str, str], tuple[str, dict[str, str]] | None] = {}
    for example in examples:
        found[example.language, example.question] = _question(example, articles)
    sorted_out: dict[str, list[dict[str, str]]] = {"answerable": [], "unanswerable": []}
    for each in found.values():
        if each is not None:
            sorted_out[each[0]].append(each[1])
    return sorted_out


def _question(example: Example, articles: Mapping[str, str]) -> tuple[str, dict[str, str]] | None:
    asked = {"language": example.language, "question": example.question}
    if example.cause == Cause.SHOULD_REFUSE or (example.is_good and example.is_refusal):
        return "unanswerable", asked
    first = next((each for each in example.passages if each.article in articles), None)
    if not example.is_good or first is None:
        return None
    return "answerable", asked | {"article": articles[first.article], "answer": first.quote}
