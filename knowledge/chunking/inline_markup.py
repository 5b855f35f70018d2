"""What stands inside a line and steers a generator only: shortcodes, components, attributes, footnote marks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_TAG_ATTRIBUTES = r"""(?:\s(?:[^<>{}"']|"[^"]{0,400}"|'[^']{0,400}'|\{(?:[^{}]|\{[^{}]{0,200}\}){0,400}\}){0,600})?"""
_HTML_NAMES = (
    r"(?i:a|b|i|s|p|u|em|strong|del|ins|br|hr|div|span|table|thead|tbody|tfoot|tr|td|th|ul|ol|li|dl|dt|dd|h[1-6]|pre|code|img"
    r"|details|summary|blockquote|section|article|figure|script|style|strike|sup|sub|center|font|caption)\b"
)
_MARKUP = re.compile(
    r"(?P<code>(?<!`)``[^\n]{1,400}?``(?!`)|(?<!`)`[^`\n]{1,400}`(?!`))"
    r"|(?P<shortcode>\{\{[<%](?:[^}]|\}(?!\})){0,400}\}\}|\{%(?:[^%]|%(?!\})){0,400}%\})"
    rf"|(?P<component></?(?!{_HTML_NAMES})[A-Z]\w*[a-z][\w.]*{_TAG_ATTRIBUTES}\s*/?>|</?>)"
    r"|(?P<comment>\{/\*(?:[^*]|\*(?!/)){0,2000}\*/\})"
    r"|(?P<variable>\{\{[^{}\n]{1,200}\}\})"
    r"|(?P<footnote>(?<!\\)\[\^[^\]\s]{1,60}\])"
    r"|(?P<attributes>[ \t]*\{:?[ \t]*[#.][\w#.:=\"' -]{1,200}\}|\{:[^{}\n]{1,200}\})"
    r"|\[\[(?P<wiki>[^\[\]|\n]{1,100})(?:\|(?P<label>[^\[\]\n]{1,100}))?\]\]"
    r"|(?<![=\w])==(?P<marked>[^=\n]{1,200})==(?![=\w])"
)
_TITLE = re.compile(
    r"""\b(?:title|label|summary|question|header)\s*=\s*\{?["']([^"']{1,300})["']|[<%]\s*[\w/.-]+\s+"([^"]{3,300})"\s*[%>]"""
)
FOLDED = re.compile(r"(?i)(details|accordion|expand|collaps|toggle|faq|disclosure|spoiler)")
_TITLED = re.compile(r"(?i)(tab|accordion|admonition|callout|notice|hint|alert|step|card|panel|note|warning|tip|info)")


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A line of CommonMark and the number, from 0, of the line of the article that it stands for."""

    text: str
    number: int
    is_code: bool = False


def without_markup(lines: Sequence[SourceLine]) -> list[SourceLine]:
    """The lines without shortcodes, components, attributes and footnote marks; code is left as it is."""
    found: list[SourceLine] = []
    position = 0
    while position < len(lines):
        end = position
        while end < len(lines) and not lines[end].is_code:
            end += 1
        found += _substituted(lines[position:end])
        while end < len(lines) and lines[end].is_code:
            found.append(lines[end])
            end += 1
        position = end
    return found


def _substituted(lines: Sequence[SourceLine]) -> list[SourceLine]:
    """The lines with their inline markup replaced; a replacement may take lines away or bring new ones."""
    if not lines:
        return []
    text = "\n".join(line.text for line in lines)
    found: list[SourceLine] = []
    open_text, open_number, at, seen = "", lines[0].number, 0, 0

    def add(piece: str, *, is_source: bool) -> None:
        nonlocal open_text, open_number, seen
        first, *others = piece.split("\n")
        open_text += first
        for other in others:
            found.append(SourceLine(open_text, open_number))
            seen += is_source
            open_text, open_number = other, lines[min(seen, len(lines) - 1)].number

    for match in _MARKUP.finditer(text):
        add(text[at : match.start()], is_source=True)
        add(_replacement(match), is_source=False)
        seen += match.group().count("\n")
        at = match.end()
    add(text[at:], is_source=True)
    return [*found, SourceLine(open_text, open_number)]


def _replacement(match: re.Match[str]) -> str:
    kind, text = match.lastgroup, match.group()
    if kind == "code":
        return text
    if kind in {"shortcode", "component"}:
        return _tag(text)
    if kind == "variable":
        return "…"
    if kind in {"wiki", "label"}:
        return match.group("label") or match.group("wiki")
    if kind == "marked":
        return _MARKUP.sub(_replacement, match.group("marked"))
    return ""


def _tag(text: str) -> str:
    """What a reader sees of a component or shortcode: its title, if it has one; a folded one hides an answer."""
    name = text.lstrip("{<%/ -")[:40].split(" ")[0]
    is_end = re.match(r"^(?:</|\{\{[<%]\s*/|\{%-?\s*end)", text) is not None
    title = _TITLE.search(text)
    shown = (title.group(1) or title.group(2)).strip() if title else ""
    if FOLDED.search(name) and (is_end or shown):
        return "\n\n</details>\n\n" if is_end else f"\n\n<details><summary>{shown}</summary>\n\n"
    return f"\n\n**{shown}**\n\n" if shown and not is_end and _TITLED.search(name) else ""
