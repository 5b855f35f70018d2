"""Inline Markdown as the words that a reader sees."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from markdown_it.token import Token

from knowledge.chunking.html_parts import address_beside
from knowledge.text import is_cjk, readable_text

INLINE_CHARACTERS = 5_000

_HTML_NAME = re.compile(r"<(/?)\s*([A-Za-z][\w-]*)([^>]*)>")
_STRUCK = {"s", "del", "strike", "script", "style"}
_BLANKS = re.compile(r"[ \t]{2,}")
_BLANK_BEFORE_MARK = re.compile(r"(?<=\S) +(?=[.,;:!?](?:\s|$)|[，。；：！？、])")
_SOFT_BREAK = "\r"


def inline_text(tokens: Sequence[Token], *, keeps_addresses: bool = True) -> str:
    """Inline tokens as the words that a reader sees; struck-through ones are not current and go."""
    parts: list[str] = []
    links: list[tuple[str, int]] = []
    struck: list[str] = []
    for token in tokens:
        if token.type in {"s_open", "s_close"} or token.type == "html_inline":
            _enter_html(token, parts, struck)
        elif struck:
            continue
        elif token.type == "softbreak":
            parts.append(_SOFT_BREAK)
        elif token.type == "hardbreak":
            parts.append("\n")
        elif token.type == "link_open":
            links.append((str(token.attrGet("href") or ""), len(parts)))
        elif token.type == "link_close" and links:
            address, first = links.pop()
            parts.append(address_beside(address, "".join(parts[first:])) if keeps_addresses else "")
        elif token.type in {"text", "code_inline", "text_special", "image"}:
            parts.append(token.content)
    has_words = any(token.content.strip() for token in tokens if token.type in {"text", "code_inline", "text_special"})
    return tidy(_joined("".join(parts))) if has_words else ""


def tidy(text: str) -> str:
    """Running text as a person would type it, without the blanks that markup leaves behind."""
    lines = (_BLANK_BEFORE_MARK.sub("", _BLANKS.sub(" ", line)).strip() for line in readable_text(text).split("\n"))
    return "\n".join(line for line in lines if line)


def _enter_html(token: Token, parts: list[str], struck: list[str]) -> None:
    """A strikethrough begins or ends, or a tag that breaks the line."""
    found = _HTML_NAME.match(token.content)
    name = token.tag if found is None else found.group(2).lower()
    if name in _STRUCK:
        if token.type == "s_close" or (found and found.group(1)):
            del struck[-1:]
        else:
            struck.append(name)
    elif name == "br" and not struck:
        parts.append("\n")


def _joined(text: str) -> str:
    """The text with its soft breaks joined."""
    joined: list[str] = []
    for piece in (piece.strip(" ") for piece in text.split(_SOFT_BREAK)):
        if joined and piece and joined[-1]:
            last, first = joined[-1][-1], piece[0]
            joined.append("" if "\n" in (last, first) or (is_cjk(last) and is_cjk(first)) else " ")
        if piece:
            joined.append(piece)
    return "".join(joined)


def is_bold(tokens: Sequence[Token]) -> bool:
    """Whether all of a paragraph is bold."""
    kept = [token for token in tokens if token.type != "text" or token.content.strip()]
    opened = sum(token.type == "strong_open" for token in kept)
    return opened == 1 and kept[0].type == "strong_open" and kept[-1].type == "strong_close"


def pieces_of(content: str) -> Iterator[str]:
    """The text in pieces of at most INLINE_CHARACTERS, cut at a line's end or a blank where there is one."""
    start = 0
    while len(content) - start > INLINE_CHARACTERS:
        end = start + INLINE_CHARACTERS
        cut = max(content.rfind("\n", start + 1, end), start)
        cut = cut if cut > start else content.rfind(" ", start + 1, end)
        end = cut if cut > start else end
        yield content[start:end]
        start = end
    yield content[start:]
