"""The dialects of help centres brought down to CommonMark: containers, shortcodes, components, footnotes, pasted tables.

What only steers a generator goes; what a reader sees stays. Each line keeps the number of the line that it came from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from knowledge.chunking.inline_markup import FOLDED, SourceLine, without_markup
from knowledge.chunking.pasted_tables import tables_of_rows
from knowledge.sentences import answer_mark_length, question_mark_length

_FENCE = re.compile(r"^[\s>]*(?:[-*+]\s+|\d{1,9}[.)]\s+)?(`{3,}(?=[^`]*$)|~{3,})")
_CONTAINER = re.compile(r"^\s*:{3,}\s*\{?\.?([\w-]*)[^\[\]\n{}]*?\}?(?:\[([^\]]*)\])?\s*$")
_TITLED_CONTAINER = re.compile(r"^\s*:{3,}\s*([\w-]+)\s+([^\[\]{}]+?)\s*$")
_ADMONITION = re.compile(r'^\s*(!!!|\?\?\?\+?|===\+?!?)(?:\s+[\w -]+?)?(?:\s+"([^"]*)")?\s*$')
_ALERT = re.compile(r"^([\s>]*>)\s*\[![\w-]+\][+-]?[ \t]*(.*)$")
_MODULE = re.compile(
    r"^(?:import\s+(?:[\w$*{},\s]+\s+from\s+)?['\"][^'\"]+['\"];?|export\s+(?:const|let|var|default|function|class|async|\{|\*).*)\s*$"
)
_CONTENTS = re.compile(r"^\s*(?:\[\[?_?TOC_?\]\]?|\{:?\s*toc\s*\}|\[\[?toc\]\]?)\s*$", re.IGNORECASE)
_CHECK_BOX = re.compile(r"^([\s>]*(?:[-*+]|\d{1,9}[.)])\s+)\[[ xX]\]\s+")
_LIST_ITEM = re.compile(r"^\s*(?:[-*+]|\d{1,9}[.)])\s")
_FOOTNOTE = re.compile(r"^\s{0,3}\[\^[^\]\s]{1,60}\]:\s*")
_DEFINITION = re.compile(r"^[:：]\s+(?=\S)")
STEP = re.compile(
    r"^(?:(?:Step|Schritt|Étape|Paso)\s*\d{1,2}\s*[.:)–—-]?\s+|第\s*[一二三四五六七八九十\d]{1,3}\s*步\s*[：:，,、]?\s*"
    r"|步骤\s*[一二三四五六七八九十\d]{1,3}\s*[：:、.]?\s*|[\u2460-\u2473]\s*|[（(]?\d{1,2}[、）]\s*)"
)
_EMPHASIS = re.compile(r"^[*_]{1,3}")

# What a title names, or a question asks, ends here.
_END = ["", "</details>", ""]


def to_commonmark(source: str) -> list[SourceLine]:
    """The article's source as lines of CommonMark (with tables, strikethrough and HTML)."""
    lines = without_markup(list(_block_lines(source)))
    return _separate_turns(tables_of_rows(lines))


def _block_lines(source: str) -> Iterator[SourceLine]:
    """Fences found, admonitions dedented, containers and module lines taken away."""
    fence, bases = "", [0]
    last = ""
    for number, written in enumerate(source.split("\n")):
        indent = len(written) - len(written.lstrip()) if written.strip() else bases[-1]
        while not fence and indent < bases[-1]:
            bases.pop()
            yield from (SourceLine(text, number) for text in _END)
        line = written[min(4 * (len(bases) - 1), indent) :]
        opened = _FENCE.match(line)
        if fence:
            if opened and opened.group(1).startswith(fence) and not line.strip(" \t>`~"):
                fence = ""
            yield SourceLine(line, number, is_code=True)
            continue
        if opened:
            fence = opened.group(1)
            yield SourceLine(line, number, is_code=True)
            continue
        if line.startswith(("    ", "\t")) and not last.strip() and not _LIST_ITEM.match(last):
            yield SourceLine(line, number, is_code=last == "")
            continue
        if _ADMONITION.match(line):
            bases.append(indent + 4)
        yield from (SourceLine(text, number) for text in _plain_block(line))
        last = line if line.strip() or _LIST_ITEM.match(last) else ""


def _plain_block(line: str) -> list[str]:
    """What stands for one line outside code."""
    if line.lstrip().startswith(":::"):
        return _container(line)
    admonition = _ADMONITION.match(line)
    if admonition:
        return _title(admonition.group(2) or "", folds=admonition.group(1).startswith("???"))
    alert = _ALERT.match(line)
    if alert:
        return [f"{alert.group(1)} **{alert.group(2).strip()}**" if alert.group(2).strip() else alert.group(1)]
    if _MODULE.match(line) or _CONTENTS.match(line):
        return [""]
    footnote = _FOOTNOTE.match(line)
    if footnote:
        return ["", line[footnote.end() :]]
    return [_CHECK_BOX.sub(r"\1", line)]


def _container(line: str) -> list[str]:
    found = _TITLED_CONTAINER.match(line) or _CONTAINER.match(line)
    kind, title = (found.group(1) or "", found.group(2) or "") if found else ("", "")
    return _title(title, folds=FOLDED.search(kind) is not None) if kind else _END


def _title(title: str, *, folds: bool) -> list[str]:
    title = title.strip()
    if not title:
        return [""]
    if folds:
        return ["", f"<details><summary>{title}</summary>", ""]
    return ["", f"**{title}**", ""]


def _separate_turns(lines: Sequence[SourceLine]) -> list[SourceLine]:
    """A blank line before each line that begins a question, an answer or a step: they are no running text."""
    found: list[SourceLine] = []
    for line in lines:
        before = found[-1].text if found else ""
        bare = line.text.lstrip(" >\t")
        definition = _DEFINITION.match(bare)
        if line.is_code or not before.strip(" >\t") or not (_begins_turn(bare) or definition):
            found.append(line)
            continue
        prefix = before[: len(before) - len(before.lstrip(" >\t"))]
        if _LIST_ITEM.match(before):
            prefix = line.text[: len(line.text) - len(bare)] or "   "
        text = prefix + (bare[definition.end() :] if definition else bare)
        found += [SourceLine(prefix.rstrip(), line.number), SourceLine(text, line.number)]
    return found


def _begins_turn(text: str) -> bool:
    text = _EMPHASIS.sub("", text)
    return bool(question_mark_length(text) or answer_mark_length(text) or STEP.match(text))
