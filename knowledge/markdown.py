"""Markdown to plain lines that can be quoted to a customer: no markup, each line with its headings and its offset."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from html import unescape

from markdown_it import MarkdownIt
from markdown_it.token import Token

from knowledge.text import is_cjk

_PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_HIDDEN_HTML = re.compile(r"<!--.*?-->|<(script|style)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
_HTML_TAG = re.compile(r"<[^>]*>")
_LEAD_IN_ENDS = (":", "：")
_SENTENCE_ENDS = (".", "!", "?", "。", "！", "？", ":", "：", ";", "；")
JOINED_LIST_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Line:
    """One paragraph, list item, table row or code block as plain text.

    `start` is its offset in the Markdown source, `marker` a list marker shown before it, `is_whole` says that it is
    one sentence whatever it contains.
    """

    heading: tuple[str, ...]
    text: str
    start: int
    marker: str = ""
    is_whole: bool = False
    is_item: bool = False


def plain_lines(source: str) -> list[Line]:
    """The document as plain lines in reading order, under their headings.

    A list of short fragments after a lead-in ("We deliver to:") becomes one sentence with it; a table row becomes
    "Seed — Price: Free; Members: 1".
    """
    return _join_fragments(list(_Walk(source).lines()))


def escape_markdown(text: str) -> str:
    """Plain text as Markdown source that reads the same: nothing in it is taken for markup."""
    return "\n".join(_PUNCTUATION.sub(r"\\\1", line.strip()) for line in text.splitlines())


def join_words(left: str, right: str) -> str:
    """Two pieces of running text as one: with a blank, but none between Chinese characters."""
    if not left or not right:
        return left + right
    return left + right if is_cjk(left[-1]) and is_cjk(right[0]) else f"{left} {right}"


class _Walk:
    """One pass over the parser's tokens; holds the position in headings, lists and tables."""

    def __init__(self, source: str) -> None:
        self.tokens: Sequence[Token] = _PARSER.parse(source)
        self.offsets = [0]
        for line in source.split("\n"):
            self.offsets.append(self.offsets[-1] + len(line) + 1)
        self.headings: dict[int, str] = {}
        self.lists: list[int | None] = []
        self.marker = ""
        self.header: list[str] = []
        self.row: list[str] = []
        self.row_start = 0

    def lines(self) -> Iterator[Line]:
        for index, token in enumerate(self.tokens):
            if token.type == "inline":
                yield from self._inline(token, self.tokens[index - 1])
            elif token.type in {"fence", "code_block"}:
                yield from self._block(token.content.rstrip("\n"), token, is_whole=True)
            elif token.type == "html_block":
                yield from self._block(_html_text(token.content), token)
            elif token.type == "tr_close":
                yield from self._table_row()
            else:
                self._enter_or_leave(token)

    def _enter_or_leave(self, token: Token) -> None:
        if token.type == "ordered_list_open":
            self.lists.append(int(token.attrGet("start") or 1))
        elif token.type == "bullet_list_open":
            self.lists.append(None)
        elif token.type in {"ordered_list_close", "bullet_list_close"}:
            self.lists.pop()
        elif token.type == "list_item_open":
            self.marker = f"{token.info}. " if self.lists[-1] is not None else "• "
        elif token.type == "table_open":
            self.header = []
        elif token.type == "tr_open":
            self.row, self.row_start = [], self._offset(token)

    def _inline(self, token: Token, parent: Token) -> Iterator[Line]:
        text = _inline_text(token.children or [])
        if parent.type == "heading_open":
            level = int(parent.tag[1])
            self.headings = {key: value for key, value in self.headings.items() if key < level}
            if text:
                self.headings[level] = text
        elif parent.type in {"th_open", "td_open"}:
            self.row.append(text)
        else:
            yield from self._block(text, token)

    def _block(self, text: str, token: Token, *, is_whole: bool = False) -> Iterator[Line]:
        if not text.strip():
            return
        text = text if is_whole else text.strip()
        yield Line(self._heading(), text, self._offset(token), self.marker, is_whole, is_item=bool(self.lists))
        self.marker = ""

    def _table_row(self) -> Iterator[Line]:
        if not self.header:
            self.header = self.row
            return
        text = _row_text(self.header, self.row)
        if text:
            yield Line(self._heading(), text, self.row_start, is_whole=True)

    def _heading(self) -> tuple[str, ...]:
        return tuple(self.headings[level] for level in sorted(self.headings))

    def _offset(self, token: Token) -> int:
        return self.offsets[token.map[0]] if token.map else 0


def _inline_text(tokens: Sequence[Token]) -> str:
    text = ""
    for position, token in enumerate(tokens):
        if token.type == "softbreak":
            following = _inline_text(tokens[position + 1 :])
            return join_words(text.rstrip(), following.lstrip())
        if token.type == "hardbreak":
            text = text.rstrip() + "\n"
        elif token.type in {"text", "code_inline", "text_special", "image"}:
            text += token.content
    return text


def _row_text(header: Sequence[str], row: Sequence[str]) -> str:
    """A row as a sentence: its first cell names it, each other cell stands after its column's name."""
    chinese = any(is_cjk(character) for character in "".join([*header, *row]))
    dash, colon, separator = ("——", "：", "；") if chinese else (" — ", ": ", "; ")
    cells = [
        f"{name}{colon}{cell}" if name else cell
        for name, cell in zip(list(header[1:]) + [""] * len(row), row[1:], strict=False)
        if cell
    ]
    return dash.join(part for part in (row[0] if row else "", separator.join(cells)) if part)


def _html_text(source: str) -> str:
    text = unescape(_HTML_TAG.sub(" ", _HIDDEN_HTML.sub("", source)))
    return "\n".join(" ".join(line.split()) for line in text.splitlines() if line.strip())


def _join_fragments(lines: list[Line]) -> list[Line]:
    joined: list[Line] = []
    position = 0
    while position < len(lines):
        line = lines[position]
        items = _fragments_after(lines, position)
        if items:
            separator = "；" if line.text.endswith("：") else "; "
            gap = "" if line.text.endswith("：") else " "
            line = replace(line, text=line.text + gap + separator.join(item.text for item in items))
        joined.append(line)
        position += 1 + len(items)
    return joined


def _fragments_after(lines: list[Line], position: int) -> list[Line]:
    """The list items that complete the lead-in at `position`; none when it is no lead-in or they are sentences."""
    lead = lines[position]
    if lead.is_item or lead.is_whole or not lead.text.endswith(_LEAD_IN_ENDS):
        return []
    items: list[Line] = []
    for line in lines[position + 1 :]:
        if not line.is_item or line.heading != lead.heading:
            break
        items.append(line)
    length = len(lead.text) + sum(len(item.text) + 2 for item in items)
    is_plain = all(item.marker and not item.is_whole and "\n" not in item.text for item in items)
    is_fragment = all(not item.text.endswith(_SENTENCE_ENDS) for item in items)
    return items if is_plain and is_fragment and length <= JOINED_LIST_CHARACTERS else []
