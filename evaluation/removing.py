"""A paragraph without the sentences that answer a question. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence

from evaluation.question_sets import contains_answer
from knowledge.sentences import split_sentences
from knowledge.text import detect_language


def without_answers(text: str, answers: Sequence[str]) -> str:
    """The text without each sentence that contains, or is cut by, one of the accepted answers; "" when nothing is left."""
    spans = split_sentences(text)
    given = _occurrences(text, answers)
    kept = [
        text[start:end]
        for start, end in spans
        if not contains_answer(text[start:end], answers) and not any(a < end and start < b for a, b in given)
    ]
    return ("" if detect_language(text) == "zh" else " ").join(kept)


def _occurrences(text: str, answers: Sequence[str]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for answer in answers:
        start = text.find(answer) if answer else -1
        while start >= 0:
            found.append((start, start + len(answer)))
            start = text.find(answer, start + 1)
    return found
