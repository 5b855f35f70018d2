"""The HTML that stands in articles, read piece by piece: tables, lists, folded questions, headings, plain text.

A tag may be opened in one piece and closed in a later one, with Markdown between them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape

from knowledge.chunking.tables import Table

_TAG = re.compile(r"<(/?)([A-Za-z][\w-]{0,40})([^<>]{0,2000})>")
_ATTRIBUTE = re.compile(r"""\b(href|colspan|rowspan|start)\s*=\s*["']?([^"'\s>]{1,500})""", re.IGNORECASE)
_HIDDEN = {
    "script",
    "style",
    "s",
    "del",
    "strike",
    "template",
    "noscript",
    "svg",
    "iframe",
    "video",
    "audio",
    "select",
    "button",
}
_BLOCKS = {
    *(
        "p",
        "div",
        "section",
        "article",
        "blockquote",
        "figure",
        "figcaption",
        "ul",
        "ol",
        "dl",
        "hr",
        "center",
        "main",
        "header",
    ),
    *("footer", "aside", "nav", "form", "fieldset", "address"),
}
_HEADING = re.compile(r"h([1-6])")


@dataclass(frozen=True, slots=True)
class HtmlPart:
    """A piece of what a reader sees. `kind` is that of a block of Markdown, or "heading" with its level.

    `depth` and `list_number` are a block's too; lists of HTML are numbered downwards from -2.
    """

    kind: str
    text: str
    level: int = 0
    marker: str = ""
    depth: int = 0
    list_number: int = 0


@dataclass(slots=True)
class HtmlReader:
    """The state between two pieces of HTML."""

    words: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    lists: list[int | None] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    kind: str = "text"
    level: int = 0
    marker: str = ""
    list_number: int = -1

    @property
    def is_in_table(self) -> bool:
        """Whether what follows belongs to a table."""
        return bool(self.tables)

    def read(self, html: str) -> Iterator[HtmlPart]:
        """The parts that end in this piece."""
        position = 0
        while position < len(html):
            opened = html.find("<", position)
            if opened < 0:
                opened = len(html)
            self.add(unescape(html[position:opened]))
            if html.startswith("<!--", opened):
                closed = html.find("-->", opened)
                position = closed + 3 if closed >= 0 else len(html)
                continue
            tag = _TAG.match(html, opened)
            if tag is None:
                self.add(html[opened : opened + 1])
                position = opened + 1
                continue
            yield from self._tag(tag.group(2).lower(), bool(tag.group(1)), dict(_ATTRIBUTE.findall(tag.group(3))))
            position = tag.end()
        if not self.is_in_table and self.kind == "text":
            yield from self.flush()

    def add(self, text: str) -> None:
        """Text between two tags."""
        if self.hidden or not text:
            return
        if self.tables:
            self.tables[-1].add(text)
        else:
            self.words.append(text)

    def flush(self) -> Iterator[HtmlPart]:
        """The text that is open, as a part of its own."""
        text = "".join(self.words)
        self.words.clear()
        if self.kind != "code":
            lines = (" ".join(line.split()) for line in " ".join(text.split()).split("\x00"))
            text = "\n".join(line for line in lines if line)
        if text.strip():
            number = self.list_number if self.lists else 0
            yield HtmlPart(self.kind, text.strip("\n"), self.level, self.marker, len(self.lists), number)
            self.marker = ""
        self.kind, self.level = "item" if self.lists else "text", 0

    def _tag(self, name: str, is_end: bool, attributes: dict[str, str]) -> Iterator[HtmlPart]:
        if name in _HIDDEN:
            self._hide(name, is_end)
        elif self.hidden:
            return
        elif name in {"table", "tr", "td", "th", "thead", "tbody", "tfoot"}:
            yield from self._table_tag(name, is_end, attributes)
        elif name == "br":
            self.add("\x00")
        elif name == "a":
            self._link(is_end, attributes)
        elif self.tables:
            self.add(" " if name in _BLOCKS or name == "li" else "")
        else:
            yield from self._block_tag(name, is_end, attributes)

    def _block_tag(self, name: str, is_end: bool, attributes: dict[str, str]) -> Iterator[HtmlPart]:
        heading = _HEADING.fullmatch(name)
        if not (heading or name in _BLOCKS or name in {"li", "dt", "dd", "pre", "summary", "details", "caption"}):
            return
        yield from self.flush()
        if heading and not is_end:
            self.kind, self.level = "heading", int(heading.group(1))
        elif name == "summary" and not is_end:
            self.kind = "question"
        elif name == "dt" and not is_end:
            self.kind = "title"
        elif name == "pre" and not is_end:
            self.kind = "code"
        elif name == "details" and is_end:
            yield HtmlPart("end", "")
        elif name in {"ul", "ol"}:
            self._list(name, is_end, attributes)
        elif name == "li" and not is_end:
            self.kind, self.marker = "item", self._next_marker()

    def _list(self, name: str, is_end: bool, attributes: dict[str, str]) -> None:
        if not is_end:
            self.list_number -= not self.lists
            start = attributes.get("start", "1")
            self.lists.append((int(start) if start.isdecimal() and len(start) < 8 else 1) if name == "ol" else None)
        elif self.lists:
            self.lists.pop()
        self.kind = "item" if self.lists else "text"

    def _next_marker(self) -> str:
        number = self.lists[-1] if self.lists else None
        if number is None:
            return "• "
        self.lists[-1] = number + 1
        return f"{number}. "

    def _table_tag(self, name: str, is_end: bool, attributes: dict[str, str]) -> Iterator[HtmlPart]:
        if name == "table" and not is_end:
            yield from self.flush()
            self.tables.append(Table())
        elif name == "table" and self.tables:
            table = self.tables.pop()
            for row in table.rows():
                yield from (HtmlPart(kind, text) for kind, text in row)
        elif self.tables and name == "tr" and not is_end:
            self.tables[-1].open_row()
        elif self.tables and name in {"td", "th"} and not is_end:
            self.tables[-1].open_cell(
                is_heading=name == "th",
                columns=_small_number(attributes.get("colspan", "1")),
                rows=_small_number(attributes.get("rowspan", "1")),
            )
        elif self.tables and name in {"td", "th"}:
            self.tables[-1].close_cell()

    def _hide(self, name: str, is_end: bool) -> None:
        if not is_end:
            self.hidden.append(name)
        elif name in self.hidden:
            del self.hidden[self.hidden.index(name) :]

    def _link(self, is_end: bool, attributes: dict[str, str]) -> None:
        if not is_end:
            self.addresses.append(attributes.get("href", ""))
        elif self.addresses:
            words = self.tables[-1].words if self.tables else self.words
            self.add(address_beside(self.addresses.pop(), "".join(words[-1:])))


def address_beside(address: str, label: str) -> str:
    """What is written behind a link's words so that the address is not lost; "" where it says nothing or is the words."""
    address = unescape(address)
    if address.lower().startswith(("http://", "https://")):
        shown, seen = address, address.split("//", 1)[1].rstrip("/").removeprefix("www.")
    elif address.lower().startswith("mailto:"):
        shown = seen = address[7:].split("?")[0]
    elif address.lower().startswith("tel:"):
        shown = address[4:].replace("%20", " ")
        digits = re.sub(r"\D", "", shown)[-6:]
        return "" if not digits or digits in re.sub(r"\D", "", label) else f" ({shown})"
    else:
        return ""
    if not seen or not label.strip() or seen.casefold() in label.casefold():
        return ""
    return f"（{shown}）" if "\u4e00" <= label.strip()[-1] <= "\u9fff" else f" ({shown})"


def _small_number(text: str) -> int:
    return min(int(text), 30) if text.isdecimal() and len(text) < 4 and text != "0" else 1
