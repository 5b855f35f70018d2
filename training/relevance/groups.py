"""Groups to learn from: a question with one text that answers it and three that do not, or four for an open question.

Texts that do not answer are those that tempt: what the author named as near, and what has the most of the question's
letters (pairs of them) in the same help centre or paragraph.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from random import Random

from training.relevance.examples import Example

NEGATIVES = 2
# Of the near ones at most so many in a group.
MOST_NEAR = 1
HARDEST, HARDEST_OF_PARAGRAPH = 12, 5
# How often one of a public set's negatives comes from another paragraph, and one of an open question's is half an answer.
FAR_CHANCE, PARTIAL_CHANCE = 0.5, 0.3
# Estimated tokens: longer pairs of public sets cost more than they teach. Of their far texts, so many are kept.
MOST_TOKENS = 62
MOST_FAR = 30
# Groups of similar length are put together from so many batches.
BATCHES_AHEAD = 24
# How often a customer's question loses its marks and capitals, and two of its letters change places.
NO_MARKS_CHANCE, TYPO_CHANCE = 0.15, 0.06
LEAST_FOR_A_TYPO = 8
_MARKS = re.compile(r"[.,!?;:'\"，。！？；：、]+")
_CJK = 0x2E80


@dataclass(frozen=True, slots=True)
class Group:
    """A question, the text that answers it (None for an open question) and those that do not."""

    question: str
    answer: str | None
    others: tuple[str, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """All of them, the answer first."""
        return self.others if self.answer is None else (self.answer, *self.others)


@dataclass(frozen=True, slots=True)
class Mined:
    """An example with the texts that are hard to tell from an answer."""

    example: Example
    hard: tuple[str, ...]


def estimated_tokens(text: str) -> float:
    """Roughly how many tokens the text has, in either language."""
    return sum(0.75 if ord(each) > _CJK else 0.28 for each in text)


def mined(examples: Sequence[Example], chance: Random) -> list[Mined]:
    """The examples that can be learned from, with what is hard about them."""
    found = (_of_help_centre(each) if each.is_help_centre else _of_paragraph(each, chance) for each in examples)
    return [each for each in found if each is not None]


def _of_help_centre(example: Example) -> Mined | None:
    near = set(example.near)
    others = [text for text in (*example.same, *example.far) if text not in near]
    if not (near or others):
        return None
    return Mined(example, (*_likest(example.question, others, HARDEST), *example.same))


def _of_paragraph(example: Example, chance: Random) -> Mined | None:
    """None where question and answer are too long, or fewer than four other texts are short enough."""
    if example.answers and estimated_tokens(example.answers[0]) + estimated_tokens(example.question) >= MOST_TOKENS:
        return None
    far = chance.sample(example.far, min(len(example.far), MOST_FAR))
    near, far = ([text for text in texts if estimated_tokens(text) < MOST_TOKENS] for texts in (example.near, far))
    if len(near) + len(far) <= NEGATIVES:
        return None
    kept = replace(example, near=tuple(near), far=tuple(far))
    return Mined(kept, tuple(_likest(example.question, near, HARDEST_OF_PARAGRAPH)))


def _likest(question: str, texts: Sequence[str], most: int) -> list[str]:
    asked = _letter_pairs(question.lower())
    return sorted(texts, key=lambda text: -len(asked & _letter_pairs(text.lower())))[:most]


@lru_cache(maxsize=20_000)
def _letter_pairs(text: str) -> frozenset[str]:
    return frozenset(text[i : i + 2] for i in range(len(text) - 1))


def as_typed(question: str, chance: Random) -> str:
    """The question, at times as hurried customers type it: without marks, or two letters turned around."""
    if chance.random() < NO_MARKS_CHANCE:
        question = _MARKS.sub("", question).strip().lower() or question
    if chance.random() < TYPO_CHANCE and len(question) > LEAST_FOR_A_TYPO:
        at = chance.randrange(1, len(question) - 2)
        if question[at : at + 2].isalpha():
            question = f"{question[:at]}{question[at + 1]}{question[at]}{question[at + 2 :]}"
    return question


def draw_group(each: Mined, chance: Random) -> Group:
    """One group of the example; its texts differ from time to time."""
    example = each.example
    answer = chance.choice(example.answers) if example.answers else None
    count = NEGATIVES + (answer is None)
    others = _from_help_centre(each, count, chance) if example.is_help_centre else _from_paragraph(each, count, chance)
    while len(others) < count:
        others.append(chance.choice(example.far or others))
    question = as_typed(example.question, chance) if example.is_help_centre else example.question
    return Group(question, answer, tuple(others[:count]))


def _from_help_centre(each: Mined, count: int, chance: Random) -> list[str]:
    near = chance.sample(each.example.near, min(len(each.example.near), MOST_NEAR))
    hard = chance.sample(each.hard, min(len(each.hard), count + 2))
    others = [*near, *(text for text in dict.fromkeys(hard) if text not in near)][:count]
    if others and each.example.partial and chance.random() < PARTIAL_CHANCE:
        others[-1] = chance.choice(each.example.partial)
    return others


def _from_paragraph(each: Mined, count: int, chance: Random) -> list[str]:
    is_open = not each.example.answers
    near = count if is_open else count - (chance.random() < FAR_CHANCE)
    others = chance.sample(each.hard, min(len(each.hard), near))
    return others + chance.sample(each.example.far, min(len(each.example.far), count - len(others)))


class Drawing:
    """Examples of several sources, each source as often as its weight says; of a source each once before any again."""

    def __init__(self, sources: Mapping[str, Sequence[Mined]], chance: Random) -> None:
        self._sources = {name: list(examples) for name, examples in sources.items() if examples}
        self._waiting: dict[str, list[Mined]] = {name: [] for name in self._sources}
        self._chance = chance

    def groups(self, weights: Mapping[str, float]) -> Iterator[Group]:
        """Groups without end. Raises ValueError when no source with a weight has examples."""
        names = [name for name in self._sources if weights.get(name, 0) > 0]
        if not names:
            raise ValueError(f"None of {', '.join(weights)} has examples.")
        while True:
            (name,) = self._chance.choices(names, [weights[each] for each in names])
            if not self._waiting[name]:
                self._waiting[name] = self._chance.sample(self._sources[name], len(self._sources[name]))
            yield draw_group(self._waiting[name].pop(), self._chance)


def batches(groups: Iterator[Group], size: int, chance: Random) -> Iterator[list[Group]]:
    """Batches of `size` groups of similar length, in random order, so that little is padded."""
    while True:
        ahead = [next(groups) for _ in range(size * BATCHES_AHEAD)]
        # A little chance, or the same groups would meet each time.
        ahead.sort(key=lambda group: _longest(group) + chance.random() * 4)
        together = [ahead[i : i + size] for i in range(0, len(ahead), size)]
        chance.shuffle(together)
        yield from together


def _longest(group: Group) -> float:
    return estimated_tokens(group.question) + max(map(estimated_tokens, group.texts))
