"""What is learned from: a question with texts that answer it and texts that do not, each as the reranker reads them."""

from __future__ import annotations

from dataclasses import dataclass

from knowledge.chunking.chunks import sentence_to_read
from knowledge.folding import folded


@dataclass(frozen=True, slots=True)
class Example:
    """A question, and sentences in their contexts, all folded. Without `answers` the question is open.

    `partial` answer one half of it, `near` tempt, `same` stand in the same articles, `far` in others. `is_help_centre` tells
    the invented companies' questions from the public sets', of which negatives are drawn differently.
    """

    question: str
    answers: tuple[str, ...] = ()
    partial: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    far: tuple[str, ...] = ()
    is_help_centre: bool = False


def read_as(sentence: str, *, title: str = "", heading: str = "", before: str = "") -> str:
    """The text that the model is given for a sentence: the product's own, in the spelling that it searches by."""
    text = sentence_to_read(title=title, heading=heading, sentence=sentence, before=before)
    return folded(text if title or heading else text.removeprefix(": "))
