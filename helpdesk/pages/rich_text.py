"""What a model wrote freely, as elements, by the rules of static/widget/rich_text.js: paragraphs, lists, code, bold, links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from helpdesk.pages import links

FENCE = re.compile(r"```[\w-]*\n?(.*?)(?:```|\Z)", re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`|\*\*(?!\s)([^*\n]+)(?<!\s)\*\*")
BULLET = re.compile(r"\s*[-*•]\s+")
NUMBER = re.compile(r"\s*([0-9]{1,2})(?:[.)]\s+|、\s*)")


def rich(body: str) -> SafeString:
    """The text as paragraphs, lists and code; whatever looks like HTML in it stays text."""
    return format_html_join("", "{}", ((block,) for block in _blocks(body)))


def with_links(text: str) -> SafeString:
    """The text sign by sign, with its web addresses as links."""
    return format_html_join("", "{}", ((_part(part),) for part in links.linked(text)))


def _blocks(body: str) -> Iterator[SafeString]:
    start = 0
    for match in FENCE.finditer(body):
        yield from _paragraphs(body[start : match.start()])
        yield format_html('<pre dir="ltr"><code>{}</code></pre>', match[1].removesuffix("\n"))
        start = match.end()
    yield from _paragraphs(body[start:])


def _paragraphs(text: str) -> Iterator[SafeString]:
    for kind, grouped in groupby(text.split("\n"), _kind):
        lines = list(grouped)
        if kind == "bullets":
            yield format_html('<ul dir="auto">{}</ul>', _items(BULLET, lines))
        elif kind == "numbers":
            first = NUMBER.match(lines[0])
            start = int(first[1]) if first else 1
            yield format_html('<ol dir="auto" start="{}">{}</ol>', start, _items(NUMBER, lines))
        elif kind:
            joined = format_html_join(
                "", "{}{}", ((BREAK if at else "", _marks(line)) for at, line in enumerate(lines))
            )
            yield format_html('<p dir="auto">{}</p>', joined)


BREAK = SafeString("<br>")


def _kind(line: str) -> str:
    if not line.strip():
        return ""
    return "bullets" if BULLET.match(line) else "numbers" if NUMBER.match(line) else "paragraph"


def _items(sign: re.Pattern[str], lines: list[str]) -> SafeString:
    return format_html_join("", "<li>{}</li>", ((_marks(sign.sub("", line, count=1)),) for line in lines))


def _marks(line: str) -> SafeString:
    return format_html_join("", "{}", ((mark,) for mark in _marked(line)))


def _marked(line: str) -> Iterator[SafeString]:
    start = 0
    for match in INLINE.finditer(line):
        yield with_links(line[start : match.start()])
        yield format_html("<code>{}</code>", match[1]) if match[1] else format_html("<strong>{}</strong>", match[2])
        start = match.end()
    yield with_links(line[start:])


def _part(part: links.Part) -> str:
    if not part.href:
        return part.text
    return format_html('<a href="{}" target="_blank" rel="noopener noreferrer nofollow">{}</a>', part.href, part.text)
