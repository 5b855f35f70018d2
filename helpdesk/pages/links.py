"""Web addresses in text. The same rule as static/widget/links.js, held to one table of cases (tests/link_cases.json)."""

from __future__ import annotations

import re
from dataclasses import dataclass

# No address goes on behind these: white space, controls, quotes, angle brackets, and the punctuation of other scripts.
ENDS = (
    r"\s\u0000-\u001f\u007f-\u009f<>\"`|\\^\u2000-\u206f\u3000-\u303f\ufeff\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40"
    r"\uff5b-\uff65\u00ab\u00bb\u060c\u061b\u061f\u06d4\u0964"
)
ADDRESS = re.compile(rf"(?:(?<![0-9A-Za-z_])https?://|(?<![0-9A-Za-z_@./-])www\.)[^{ENDS}]+", re.IGNORECASE)
# Scripts that put no space between an address and the sentence around it.
UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]"
)
HOST = re.compile(
    r"(?:\[[0-9a-f:.]+\]|[0-9a-z_\u0080-\uffff](?:[0-9a-z_.\u0080-\uffff-]*[0-9a-z_.\u0080-\uffff])?)(?::[0-9]{1,5})?",
    re.IGNORECASE,
)
BRACKETS = {"<": ">", '"': '"', "（": "）", "「": "」", "『": "』", "“": "”", "《": "》", "【": "】"}
OPENERS = {")": "(", "]": "[", "}": "{"}


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of text; `href` is empty for what is no address."""

    text: str
    href: str = ""


def linked(text: str) -> list[Part]:
    """The text in parts that join to it again."""
    parts, start = [], 0
    for match in ADDRESS.finditer(text):
        address = _address_in(match[0], text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1])
        if not address:
            continue
        if match.start() > start:
            parts.append(Part(text[start : match.start()]))
        parts.append(Part(address, f"https://{address}" if address[:4].lower() == "www." else address))
        start = match.start() + len(address)
    return [*parts, Part(text[start:])] if start < len(text) else parts


def _address_in(found: str, before: str, after: str) -> str:
    is_enclosed = bool(before) and BRACKETS.get(before) == after
    address = _without_stops(found if is_enclosed else _without_prose(found))
    prefix, authority = re.match(r"(https?://|)([^/?#]*)", address, re.IGNORECASE).groups()  # type: ignore[union-attr]
    if not HOST.fullmatch(authority):
        return ""
    return address if prefix or re.match(r"www\.[^.]+\.[^.]{2,}", authority, re.IGNORECASE) else ""


def _without_prose(found: str) -> str:
    """Without the sentence that follows directly, as in Chinese.

    Such signs belong to an address as a host of their own, and inside of a path or a query where one of its parts begins
    with them.
    """
    split = re.match(r"((?:https?://)?(?:www\.)?)([^/?#]*)(.*)", found, re.IGNORECASE | re.DOTALL)
    start, host, rest = split.groups()  # type: ignore[union-attr]
    is_of_theirs = UNSPACED.match(host)
    if not is_of_theirs and (prose := UNSPACED.search(host)):
        return str(start + host[: prose.start()])
    prose = UNSPACED.search(rest)
    if not prose or ((prose.start() > 1 or is_of_theirs) and rest[prose.start() - 1] in "/=_(+&#~-"):
        return found
    return str(start + host + rest[: prose.start()])


def _without_stops(found: str) -> str:
    """Without the sentence's own stops and brackets; brackets that were opened inside stay."""
    end = len(found)
    unopened = {closer: found.count(closer) - found.count(opener) for closer, opener in OPENERS.items()}
    while end and (unopened.get(found[end - 1], 0) > 0 or found[end - 1] in ".,;:!?'*~"):
        if found[end - 1] in unopened:
            unopened[found[end - 1]] -= 1
        end -= 1
    return found[:end]
