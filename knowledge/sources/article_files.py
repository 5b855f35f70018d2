"""One Markdown file as an article: its text, its front matter, its title and language. Raises BadFile with the reason."""

from __future__ import annotations

import codecs
import re
import stat
import tomllib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import yaml
from django.utils.text import slugify
from frontmatter.default_handlers import BaseHandler, YAMLHandler
from markdown_it import MarkdownIt

from knowledge.domain import checked_text
from knowledge.sources.language_tags import language_of, language_of_place
from knowledge.text import detect_language

MAX_FILE_BYTES = 1_000_000
MAX_PATH_CHARACTERS = 500
MAX_CATEGORY_CHARACTERS = 120
LANGUAGE_NAMES = ("language", "lang", "locale")
# What site generators understand as "not for readers yet".
HIDDEN_BY = (("draft", {"true", "yes"}), ("published", {"false", "no"}))
_OTHER_ENCODINGS = ((codecs.BOM_UTF16_LE, "UTF-16"), (codecs.BOM_UTF16_BE, "UTF-16"))
_PARSER = MarkdownIt("commonmark", {"html": True})
_NAME_AND_VALUE = re.compile(r"\s*[\w-]+\s*[:=]")


class BadFile(Exception):
    """The file cannot become an article; the message says why."""


@dataclass(frozen=True, slots=True)
class ArticleFile:
    """An article as a file describes it. `path` is relative to the imported folder, with slashes."""

    path: str
    title: str
    body: str
    language: str
    category: str

    @property
    def handles(self) -> tuple[str, str]:
        """Readable names for it, the short one first; neither says which article it is."""
        place = PurePosixPath(self.path).with_suffix("")
        title = slugify(self.title, allow_unicode=True) or "article"
        return tuple(slugify(name, allow_unicode=True) or title for name in (place.name, str(place).replace("/", "-")))  # type: ignore[return-value]


class _Yaml(YAMLHandler):
    """Values stay the words that were written: `title: No` is no truth value, `version: 1.10` no number."""

    name = "YAML"

    def load(self, fm: str, **kwargs: object) -> Any:
        try:
            return yaml.load(fm, Loader=yaml.BaseLoader)  # noqa: S506 (makes text, lists and mappings only)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise _Broken(error.problem or "", mark.line if mark else None) from error
        except yaml.YAMLError as error:
            raise _Broken("") from error


class _Toml(BaseHandler):
    """Front matter between lines of `+++`, read by the standard library."""

    FM_BOUNDARY = re.compile(r"^\+{3,}\s*$", re.MULTILINE)
    START_DELIMITER = END_DELIMITER = "+++"
    name = "TOML"

    def load(self, fm: str) -> Any:
        try:
            return tomllib.loads(fm)
        except tomllib.TOMLDecodeError as error:
            found = re.search(r"\(at line (\d+)", str(error))
            raise _Broken(str(error).partition(" (at")[0], int(found[1]) - 1 if found else None) from error


class _Broken(ValueError):
    """Front matter that cannot be read; `line` counts from 0 within it."""

    def __init__(self, problem: str, line: int | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line


HANDLERS = (_Yaml(), _Toml())


def read_article(file: Path, path: str) -> ArticleFile:
    """Parse one file. Raises BadFile, and InvalidInput for a text that no article may have."""
    text = _read_text(file)
    if not text.strip():
        raise BadFile("it is empty")
    metadata, body = _front_matter(text)
    for name, is_hidden in HIDDEN_BY:
        if _words(metadata.get(name)).casefold() in is_hidden:
            raise BadFile(f"its front matter says {name}: {_words(metadata[name])}")
    title = _words(metadata.get("title"))
    if not title:
        title, body = _title_from_heading(body)
    if not body.strip():
        raise BadFile("it has a title but no text")
    title, body = checked_text(title, body)
    category = " ".join(_words(metadata.get("category")).split())
    if len(category) > MAX_CATEGORY_CHARACTERS:
        raise BadFile(f"its category has {len(category)} characters; the limit is {MAX_CATEGORY_CHARACTERS}")
    return ArticleFile(path, title=title, body=body, language=_language(metadata, path, body), category=category)


def _read_text(file: Path) -> str:
    try:
        information = file.stat()
        if not stat.S_ISREG(information.st_mode):
            raise BadFile("it is no ordinary file")
        if information.st_size > MAX_FILE_BYTES:
            raise BadFile(
                f"it has {information.st_size:,} bytes; the limit is {MAX_FILE_BYTES:,}: split it into several articles"
            )
        raw = file.read_bytes()
    except OSError as error:
        raise BadFile(f"it cannot be read ({error.strerror})") from error
    for mark, encoding in _OTHER_ENCODINGS:
        if raw.startswith(mark):
            raise BadFile(f"it is {encoding} text; save it as UTF-8")
    if b"\x00" in raw:
        raise BadFile("it is a binary file, not text")
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise BadFile(f"it is not UTF-8 text (byte {error.start}); save it as UTF-8") from error


def _front_matter(text: str) -> tuple[dict[str, object], str]:
    """Its names and values, and the text behind it; nothing and the whole text where there is none."""
    content = text.lstrip()
    handler = next((handler for handler in HANDLERS if handler.detect(content)), None)
    if handler is None:
        return {}, text
    first_line = text.count("\n", 0, len(text) - len(content)) + 1
    try:
        head, body = handler.split(content)
    except ValueError as error:
        if not _NAME_AND_VALUE.match(content.partition("\n")[2]):
            return {}, text  # a rule across the page
        raise BadFile(
            f"its front matter begins in line {first_line} and has no end: close it with {handler.START_DELIMITER}"
        ) from error
    try:
        metadata = handler.load(head)
    except _Broken as error:
        head_line = first_line + content.count("\n", 0, content.index(head, 3))
        where = f" in line {head_line + error.line}" if error.line is not None else ""
        why = f" ({' '.join(error.problem.split())[:120]})" if error.problem else ""
        raise BadFile(f"its front matter is not valid {handler.name}{where}{why}") from error
    except RecursionError as error:
        raise BadFile("its front matter is nested too deeply") from error
    if metadata is None:
        return {}, body
    if not isinstance(metadata, dict):
        raise BadFile(f"its front matter (from line {first_line}) is not a list of names and values")
    return {str(name).casefold(): value for name, value in metadata.items()}, body


def _title_from_heading(body: str) -> tuple[str, str]:
    """The document's first heading as title, and the text without it. Raises BadFile when it has none."""
    tokens = _PARSER.parse(body)
    for position, token in enumerate(tokens):
        is_first = all(before.type == "html_block" for before in tokens[:position])
        if token.type != "heading_open" or token.level != 0 or token.map is None:
            continue
        if token.tag != "h1" and not is_first:
            break
        title = "".join(
            child.content
            if child.type in {"text", "code_inline", "text_special"}
            else " " * (child.type == "softbreak")
            for child in tokens[position + 1].children or []
        ).strip()
        if not title:
            break
        lines = body.split("\n")
        begin, end = token.map
        return title, "\n".join([*lines[:begin], *lines[end:]])
    raise BadFile("it has no title: begin it with a heading (# Title) or with front matter (---, title: …, ---)")


def _language(metadata: dict[str, object], path: str, body: str) -> str:
    given = next((words for name in LANGUAGE_NAMES if (words := _words(metadata.get(name)))), "")
    if given:
        language = language_of(given)
        if language is None:
            raise BadFile(f"its language is {given[:40]!r}; use en or zh")
        return language
    place = PurePosixPath(path)
    return language_of_place(place.parent.parts, place.stem) or detect_language(body)


def _words(value: object) -> str:
    """A value of the front matter as text; anything nested counts as missing."""
    return "" if value is None or isinstance(value, list | dict) else str(value).strip()
