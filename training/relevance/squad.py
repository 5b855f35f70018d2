"""Examples from public question sets in SQuAD layout (Rajpurkar, Jia and Liang, ACL 2018).

The sentence in which the answer begins answers; the paragraph's other sentences are near, unless they hold the answer's words,
and those of the article's other paragraphs are far. A question that is marked as impossible is open.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from knowledge.folding import folded
from knowledge.sentences import split_sentences
from training.relevance.examples import Example, read_as

# The articles of SQuAD and XQuAD to learn from: the project measures on XQuAD's others, and on all of CMRC 2018.
LEARNED_ARTICLES = frozenset(
    {
        "Normans",
        "Computational_complexity_theory",
        "Huguenot",
        "Steam_engine",
        "1973_oil_crisis",
        "European_Union_law",
        "Packet_switching",
        "Warsaw",
    }
)
_NO_LETTERS = re.compile(r"[\W_]+")


class BadQuestionSet(Exception):
    """The file is not in SQuAD layout; the message says which."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An example with the number of its article and of its paragraph in that."""

    article: int
    paragraph: int
    example: Example


@dataclass(frozen=True, slots=True)
class _Paragraph:
    """Sentences with their offsets (start, end) in the paragraph, and as they are read."""

    spans: tuple[tuple[int, int], ...]
    sentences: tuple[str, ...]
    read: tuple[str, ...]
    questions: Sequence[dict[str, Any]]


def squad_examples(path: Path, *, learned_only: bool = True, titles_of: Path | None = None) -> list[Asked]:
    """The file's examples; `learned_only` keeps those of LEARNED_ARTICLES.

    `titles_of` names the same set in the titles' language: what stands over a paragraph in another language is left away.
    Raises BadQuestionSet.
    """
    articles = _articles(path)
    titles = [str(article.get("title", "")) for article in (articles if titles_of is None else _articles(titles_of))]
    if len(titles) != len(articles):
        raise BadQuestionSet(f"{path} and {titles_of} have not the same articles.")
    found: list[Asked] = []
    for number, (article, title) in enumerate(zip(articles, titles, strict=True)):
        if not learned_only or title in LEARNED_ARTICLES:
            try:
                found += _of_article(number, article, "" if titles_of else title.replace("_", " "))
            except (KeyError, TypeError, AttributeError) as error:
                raise BadQuestionSet(f"{path} is not in SQuAD layout: {error!r}") from error
    if not found:
        raise BadQuestionSet(f"{path} has no questions to learn from.")
    return found


def across(first: Sequence[Asked], second: Sequence[Asked]) -> list[Example]:
    """Each question of one language with the sentences of the other: two translations of the same set.

    Paragraphs of which the two hold not the same number of questions are left out.
    """
    pairs = _by_paragraph(first), _by_paragraph(second)
    crossed: list[Example] = []
    for place, ones in pairs[0].items():
        others = pairs[1].get(place, [])
        if len(ones) == len(others):
            for one, other in zip(ones, others, strict=True):
                crossed += [replace(other, question=one.question), replace(one, question=other.question)]
    return crossed


def _by_paragraph(asked: Sequence[Asked]) -> dict[tuple[int, int], list[Example]]:
    grouped: dict[tuple[int, int], list[Example]] = {}
    for each in asked:
        grouped.setdefault((each.article, each.paragraph), []).append(each.example)
    return grouped


def _articles(path: Path) -> list[dict[str, Any]]:
    try:
        articles: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["data"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadQuestionSet(f"{path} cannot be read as a question set: {error!r}") from error
    return articles


def _of_article(number: int, article: dict[str, Any], title: str) -> Iterator[Asked]:
    paragraphs = [_paragraph(entry, title) for entry in article["paragraphs"]]
    for position, paragraph in enumerate(paragraphs):
        far = tuple(text for other, each in enumerate(paragraphs) if other != position for text in each.read)
        for question in paragraph.questions:
            example = _example(question, paragraph, far)
            if example is not None:
                yield Asked(number, position, example)


def _paragraph(entry: dict[str, Any], title: str) -> _Paragraph:
    context: str = entry["context"]
    spans = tuple(split_sentences(context))
    sentences = tuple(context[start:end] for start, end in spans)
    befores = ("", *sentences)
    read = tuple(
        read_as(sentence, title=title, before=before) for sentence, before in zip(sentences, befores, strict=False)
    )
    return _Paragraph(spans, sentences, read, entry["qas"])


def _example(question: dict[str, Any], paragraph: _Paragraph, far: tuple[str, ...]) -> Example | None:
    """None where no sentence holds the answer."""
    text = folded(question["question"])
    if question.get("is_impossible"):
        return Example(question=text, near=paragraph.read, far=far)
    if not question["answers"]:
        return None
    start = question["answers"][0]["answer_start"]
    end = start + len(question["answers"][0]["text"])
    right = [i for i, (first, last) in enumerate(paragraph.spans) if first < end and start < last]
    if not right:
        return None
    words = {_squeezed(answer["text"]) for answer in question["answers"]} - {""}
    answer = paragraph.read[right[0]]
    near = tuple(
        read
        for i, read in enumerate(paragraph.read)
        if i not in right and read != answer and not any(each in _squeezed(paragraph.sentences[i]) for each in words)
    )
    return Example(question=text, answers=(answer,), near=near, far=tuple(each for each in far if each != answer))


def _squeezed(text: str) -> str:
    return _NO_LETTERS.sub("", folded(text).casefold())
