"""Invented help centres with their customers' questions, as JSON files: what they may hold, and their checks. No Django here.

A reference to a sentence is `<slug>/<section>/<sentence>`, counted from 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import StringConstraints, TypeAdapter, ValidationError

# Why the articles leave a question open; PARTIAL: a sentence answers one half of it. UNSPECIFIED: the set does not say.
PARTIAL, ATTACK, UNSPECIFIED = "partial", "safety", "unspecified"
OPEN_KINDS = (
    "related",
    "other_thing",
    "other_value",
    "false_premise",
    "underspecified",
    "nonsense",
    "modality",
    ATTACK,
    "out_of_scope",
    PARTIAL,
    UNSPECIFIED,
)

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
# It becomes a file's name.
Slug = Annotated[str, StringConstraints(pattern=r"^[\w][\w.-]{0,99}$")]
Language = Literal["en", "zh"]


class BadHelpCentre(Exception):
    """The file is no help centre; the message says where, and what to do."""


@dataclass(frozen=True)
class Section:
    """Sentences under a heading, which may be empty."""

    sentences: list[Text]
    heading: str = ""


@dataclass(frozen=True)
class Article:
    """An article; without a language of its own it is in the help centre's."""

    slug: Slug
    title: Text
    sections: list[Section]
    language: Language | None = None


@dataclass(frozen=True)
class Question:
    """A customer's question with references: `answers`, each of which answers it alone, or `open` with one of OPEN_KINDS.

    `near` treat the subject and do not answer; `partial` answer one half of an open question.
    """

    question: Text
    answers: list[str] = field(default_factory=list)
    near: list[str] = field(default_factory=list)
    partial: list[str] = field(default_factory=list)
    open: str = ""
    language: Language | None = None


class Place(NamedTuple):
    """A sentence where it stands; `before` is the sentence in front of it in its section, or empty."""

    article: Article
    heading: str
    sentence: str
    before: str


@dataclass(frozen=True)
class HelpCentreFile:
    """A whole file."""

    company: Text
    language: Language
    articles: list[Article]
    questions: list[Question]
    business: str = ""

    def language_of(self, article: Article) -> Language:
        """The article's own language, or the help centre's."""
        return article.language or self.language

    def places(self) -> dict[str, Place]:
        """Every sentence by its reference, in the order of the file."""
        return {
            f"{article.slug}/{number}/{position}": Place(
                article, section.heading, sentence, section.sentences[position - 1] if position else ""
            )
            for article in self.articles
            for number, section in enumerate(article.sections)
            for position, sentence in enumerate(section.sentences)
        }


def read_help_centre_file(path: Path) -> HelpCentreFile:
    """The file with everything in it checked. Raises BadHelpCentre."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadHelpCentre(f"{path} cannot be read: {error}") from error
    try:
        file: HelpCentreFile = TypeAdapter(HelpCentreFile).validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise BadHelpCentre(f"{path} is no help centre; {place}: {first['msg']}. See docs/evaluation.md.") from None
    _check(path, file)
    return file


def _check(path: Path, file: HelpCentreFile) -> None:
    if twice := _repeated(article.slug for article in file.articles):
        raise BadHelpCentre(f"{path}: two articles have the slug {twice!r}. Give one another slug.")
    for article in file.articles:
        if not any(section.sentences for section in article.sections):
            raise BadHelpCentre(f"{path}: the article {article.slug!r} has no sentences. Write some, or take it away.")
    places = file.places()
    for number, question in enumerate(file.questions, 1):
        if trouble := _trouble(question, places.keys()):
            raise BadHelpCentre(f"{path}, question {number} ({question.question[:40]!r}): {trouble}")


def _trouble(question: Question, references: Collection[str]) -> str:
    """What is wrong with the question, empty when nothing is."""
    named = (*question.answers, *question.near, *question.partial)
    if missing := [reference for reference in named if reference not in references]:
        return f"there is no sentence {missing[0]!r}. Write <slug>/<section>/<sentence>, counted from 0."
    if twice := _repeated(named):
        return f"{twice!r} is named twice. A sentence answers, answers in part, or is near."
    if bool(question.answers) == bool(question.open):
        return "give it `answers`, or `open` with the reason; not both, not neither."
    if question.open and question.open not in OPEN_KINDS:
        return f"{question.open!r} is no reason. `open` is one of: {', '.join(OPEN_KINDS)}."
    return ""


def _repeated(names: Iterable[str]) -> str:
    name, count = next(iter(Counter(names).most_common(1)), ("", 0))
    return name if count > 1 else ""
