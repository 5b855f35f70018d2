"""Markdown to plain blocks in reading order: no markup, each with its headings and its offset in the source."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from markdown_it import MarkdownIt
from markdown_it.token import Token

from knowledge.chunking.html_parts import HtmlPart, HtmlReader
from knowledge.chunking.inline import inline_text, is_bold, pieces_of, tidy
from knowledge.chunking.inline_markup import SourceLine
from knowledge.chunking.markup import to_commonmark
from knowledge.chunking.tables import cell_text, row_parts
from knowledge.sentences import is_question
from knowledge.text import is_cjk, readable_text

# Inline text is parsed by us, in pieces: the parser's time grows faster than the length of what it reads.
_PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).disable(["inline", "text_join"])
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_STATEMENT_ENDS = (".", "!", "。", "！", ":", "：", ";", "；", ",", "，")

Kind = Literal["text", "title", "question", "item", "row", "code", "end"]


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, list item, table row or code block as plain text.

    `start` is its offset in the source, `marker` a list marker shown before it, `depth` how many lists it stands in and
    `list_number` which of the document's outermost ones (0: none). A "title" names what follows, an "end" (without text) ends the
    answer to the question before it.
    """

    kind: Kind
    heading: tuple[str, ...]
    text: str
    start: int
    marker: str = ""
    depth: int = 0
    list_number: int = 0


def plain_blocks(source: str) -> list[Block]:
    """The document as plain blocks in reading order, under their headings."""
    return list(_Walk(source).blocks())


def escape_markdown(text: str) -> str:
    """Plain text as Markdown source that reads the same: nothing in it is taken for markup."""
    return "\n".join(_PUNCTUATION.sub(r"\\\1", line.strip()) for line in text.splitlines())


def join_words(left: str, right: str) -> str:
    """Two pieces of running text as one: with a blank, but none between Chinese characters."""
    if not left or not right:
        return left + right
    return left + right if is_cjk(left[-1]) and is_cjk(right[0]) else f"{left} {right}"


class _Walk:
    """One pass over the parser's tokens; holds the position in headings, lists, tables and HTML."""

    def __init__(self, source: str) -> None:
        lines = to_commonmark(source)
        self.offsets = _offsets(source, lines)
        self.references: dict[str, object] = {}
        self.tokens: Sequence[Token] = _PARSER.parse("\n".join(line.text for line in lines), self.references)
        self.headings: dict[int, str] = {}
        self.lists: list[bool] = []
        self.list_number = 0
        self.marker = ""
        self.header: list[str] = []
        self.row: list[str] = []
        self.start = 0
        self.html = HtmlReader()

    def blocks(self) -> Iterator[Block]:
        for index, token in enumerate(self.tokens):
            self.start = self.offsets[token.map[0]] if token.map else self.start
            if token.type == "inline":
                yield from self._inline(token, self.tokens[index - 1])
            elif token.type == "code_block" and self.html.is_in_table:
                yield from self._html(self.html.read(token.content))
            elif token.type in {"fence", "code_block"}:
                yield from self._block("code", token.content.rstrip("\n"))
            elif token.type == "html_block":
                yield from self._html(self.html.read(token.content))
            elif token.type == "tr_close":
                yield from self._table_row()
            else:
                self._enter_or_leave(token)
        yield from self._html(self.html.read("</table>"))
        yield from self._html(self.html.flush())

    def _enter_or_leave(self, token: Token) -> None:
        if token.type in {"ordered_list_open", "bullet_list_open"}:
            self.list_number += not self.lists
            self.lists.append(token.type == "ordered_list_open")
        elif token.type in {"ordered_list_close", "bullet_list_close"}:
            self.lists.pop()
        elif token.type == "list_item_open":
            self.marker = f"{token.info}. " if self.lists[-1] else "• "
        elif token.type == "table_open":
            self.header = []
        elif token.type == "tr_open":
            self.row = []

    def _inline(self, token: Token, parent: Token) -> Iterator[Block]:
        children = self._children(token.content)
        if self.html.is_in_table:
            self.html.add(inline_text(children))
        elif parent.type == "heading_open":
            self._enter_heading(int(parent.tag[1]), inline_text(children, keeps_addresses=False))
        elif parent.type in {"th_open", "td_open"}:
            self.row.append(cell_text(inline_text(children)))
        else:
            text = inline_text(children)
            is_title = (
                not self.lists and is_bold(children) and not text.endswith(_STATEMENT_ENDS) and not is_question(text)
            )
            yield from self._block("title" if is_title else "text", text)

    def _children(self, content: str) -> list[Token]:
        found: list[Token] = []
        for piece in pieces_of(content):
            _PARSER.inline.parse(piece, _PARSER, self.references, found)
        return found

    def _html(self, parts: Iterator[HtmlPart]) -> Iterator[Block]:
        for part in parts:
            if part.kind == "heading":
                self._enter_heading(part.level, readable_text(part.text))
            else:
                self.marker = part.marker or self.marker
                yield from self._block(cast("Kind", part.kind), part.text, part=part)

    def _enter_heading(self, level: int, text: str) -> None:
        self.headings = {key: value for key, value in self.headings.items() if key < level}
        if text:
            self.headings[level] = " ".join(text.split())

    def _block(self, kind: Kind, text: str, *, part: HtmlPart | None = None) -> Iterator[Block]:
        text = readable_text(text) if kind == "code" else tidy(text)
        if not text.strip() and kind != "end":
            return
        depth = (part.depth if part else 0) or len(self.lists)
        number = (part.list_number if part else 0) or self.list_number
        yield Block(
            kind="item" if kind == "text" and depth else kind,
            heading=tuple(self.headings[level] for level in sorted(self.headings)),
            text=text,
            start=self.start,
            marker=self.marker if depth else "",
            depth=depth,
            list_number=number if depth else 0,
        )
        self.marker = ""

    def _table_row(self) -> Iterator[Block]:
        if not self.header:
            self.header = self.row or [""]
            return
        for kind, text in row_parts(self.header, self.row):
            yield from self._block(cast("Kind", kind), text)


def _offsets(source: str, lines: Sequence[SourceLine]) -> list[int]:
    """Where in the source each line of CommonMark comes from."""
    starts = [0]
    for line in source.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    return [starts[line.number] for line in lines] + [starts[-1]]
