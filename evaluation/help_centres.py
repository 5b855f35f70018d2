"""Help centres with their customers' questions, for measuring: one JSON file, or a folder of Markdown with `questions.json`.

docs/evaluation.md describes both layouts; `help_centre_files` reads and checks the JSON one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from evaluation.help_centre_files import (
    UNSPECIFIED,
    Article,
    BadHelpCentre,
    HelpCentreFile,
    Language,
    Question,
    Text,
    read_help_centre_file,
)
from evaluation.question_sets import BadQuestionSet, contains_answer, spread
from knowledge.chunking.markdown import escape_markdown
from knowledge.sources.folders import look_through
from knowledge.text import detect_language

QUESTIONS_FILE = "questions.json"

_SENTENCE_END = re.compile(r"[.!?。！？…][\"'”’」』）)\]]*$")


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence as it stands in an article, which is named by its path without ending (`en/returns`)."""

    article: str
    text: str

    @property
    def language(self) -> str:
        """The article's language."""
        return self.article.partition("/")[0]


@dataclass(frozen=True, slots=True)
class HelpQuestion:
    """A customer's question: the sentences each of which answers it, or (`open`) why the articles leave it open.

    `near` are sentences that treat the subject and do not answer.
    """

    text: str
    language: str
    answers: tuple[Told, ...] = ()
    near: tuple[Told, ...] = ()
    open: str = ""

    @property
    def is_across_languages(self) -> bool:
        """Whether all that answers it is told in another language."""
        return bool(self.answers) and all(told.language != self.language for told in self.answers)


@dataclass(frozen=True, slots=True)
class HelpCentre:
    """A company's articles as Markdown files, by their path (`en/returns.md`), and its customers' questions."""

    company: str
    articles: dict[str, str] = field(repr=False)
    questions: tuple[HelpQuestion, ...] = field(repr=False)
    company_zh: str = ""

    def limited(self, limit: int) -> HelpCentre:
        """With so many questions, spread evenly; 0 keeps all."""
        return HelpCentre(self.company, self.articles, spread(self.questions, limit), self.company_zh)


@dataclass(frozen=True)
class _DemoQuestion:
    question: Text
    language: Language
    article: str = ""
    answer: str = ""


@dataclass(frozen=True)
class _DemoQuestions:
    answerable: list[_DemoQuestion]
    unanswerable: list[_DemoQuestion]


def read_help_centres(paths: Sequence[Path], *, limit: int = 0) -> list[HelpCentre]:
    """The help centres of these files and folders. Raises BadQuestionSet, which says what to do.

    A folder is a help centre when it holds QUESTIONS_FILE; otherwise each JSON file in it is one. `limit` keeps so many
    questions of each, spread evenly.
    """
    found = [read_help_centre(each) for path in paths for each in _places(path)]
    return [centre.limited(limit) for centre in found]


def read_help_centre(path: Path) -> HelpCentre:
    """One help centre in either layout. Raises BadQuestionSet."""
    centre = _read_folder(path) if path.is_dir() else _read_file(path)
    if not centre.questions:
        raise BadQuestionSet(f"{path} has no questions. Add some, each with `answers` or `open`.")
    return centre


def _places(path: Path) -> list[Path]:
    if not path.is_dir() or (path / QUESTIONS_FILE).exists():
        return [path]
    files = sorted(path.glob("*.json"))
    if not files:
        raise BadQuestionSet(
            f"{path} holds neither {QUESTIONS_FILE} nor other JSON files. Name a help centre's file or folder."
        )
    return files


def _read_file(path: Path) -> HelpCentre:
    try:
        file = read_help_centre_file(path)
    except BadHelpCentre as error:
        raise BadQuestionSet(str(error)) from error
    told = {reference: Told(_name(file, place.article), place.sentence) for reference, place in file.places().items()}
    articles = {
        f"{_name(file, article)}.md": _markdown(article, file.language_of(article)) for article in file.articles
    }
    return HelpCentre(file.company, articles, tuple(_question(given, told) for given in file.questions))


def _name(file: HelpCentreFile, article: Article) -> str:
    return f"{file.language_of(article)}/{article.slug}"


def _question(given: Question, told: Mapping[str, Told]) -> HelpQuestion:
    return HelpQuestion(
        text=given.question,
        language=given.language or detect_language(given.question),
        answers=tuple(told[reference] for reference in given.answers),
        near=tuple(told[reference] for reference in given.near),
        open=given.open,
    )


def _markdown(article: Article, language: str) -> str:
    """The article as a file of its author: running text under headings, and what is no sentence on a line of its own."""
    # JSON's texts are YAML's as well.
    lines = ["---", f"title: {json.dumps(article.title, ensure_ascii=False)}", f"language: {language}", "---"]
    for section in article.sections:
        if section.heading.strip():
            lines += ["", f"## {escape_markdown(' '.join(section.heading.split()))}"]
        lines += [f"\n{paragraph}" for paragraph in _paragraphs(section.sentences, language)]
    return "\n".join(lines) + "\n"


def _paragraphs(sentences: Sequence[str], language: str) -> list[str]:
    paragraphs: list[str] = []
    runs_on = False
    for sentence in sentences:
        text = escape_markdown(" ".join(sentence.split()))
        ends = _SENTENCE_END.search(sentence) is not None
        if runs_on and ends:
            paragraphs[-1] += ("" if language == "zh" else " ") + text
        else:
            paragraphs.append(text)
        runs_on = ends
    return paragraphs


def _read_folder(folder: Path) -> HelpCentre:
    given: _DemoQuestions = _shaped(folder / QUESTIONS_FILE, _DemoQuestions)
    articles = {name: _text(place) for name, place in look_through(folder).files.items()}
    questions = [_answered(folder, each, articles) for each in given.answerable]
    questions += [HelpQuestion(each.question, each.language, open=UNSPECIFIED) for each in given.unanswerable]
    names = _names(folder)
    return HelpCentre(names.get("en") or folder.name, articles, tuple(questions), names.get("zh", ""))


def _answered(folder: Path, given: _DemoQuestion, articles: dict[str, str]) -> HelpQuestion:
    place = f"{folder / QUESTIONS_FILE}: {given.question[:40]!r}"
    text = articles.get(f"{given.article}.md")
    if text is None:
        raise BadQuestionSet(f"{place}: there is no article {given.article!r}. Write its path without ending.")
    if not contains_answer(text, [given.answer]):
        raise BadQuestionSet(f"{place}: its answer does not stand in {given.article!r}. Quote the article's sentence.")
    return HelpQuestion(given.question, given.language, (Told(given.article, given.answer),))


def _names(folder: Path) -> dict[str, str]:
    """The company's name in both languages; none where no `shop.json` tells it."""
    try:
        names = json.loads((folder / "shop.json").read_text(encoding="utf-8"))["name"]
        return {language: str(names[language]) for language in ("en", "zh") if language in names}
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError):
        return {}


def _shaped(path: Path, shape: type[Any]) -> Any:
    """The file as that dataclass. Raises BadQuestionSet, which says where it is different."""
    text = _text(path)
    try:
        return TypeAdapter(shape).validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise BadQuestionSet(f"{path} is no help centre; {place}: {first['msg']}. See docs/evaluation.md.") from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadQuestionSet(f"{path} cannot be read: {error}") from error
