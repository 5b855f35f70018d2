"""Lists as units: a procedure whole, short entries in the sentence that introduces them, long lists in parts that say so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from knowledge.chunking.markdown import Block
from knowledge.chunking.pieces import Unit, ends_open, introduction, is_fragment, merged, under, unit_of
from knowledge.text import is_cjk

JOINED_LIST_CHARACTERS = 300

_COLON = re.compile(r"\s*[:：.。]\s*$")


def is_ordered(blocks: Sequence[Block]) -> bool:
    """Whether the list is a procedure or an enumeration whose order counts."""
    return not blocks[0].marker.startswith("•")


def needs_introduction(blocks: Sequence[Block]) -> bool:
    """Whether the list says nothing without the sentence before it: steps, or entries that are no sentences."""
    return is_ordered(blocks) or all(is_fragment(block.text) for block in blocks)


def list_units(blocks: Sequence[Block], lead: Block | None = None) -> list[Unit]:
    """A list with the sentence that introduces it, whole if that is short enough, else in parts that begin with it.

    Entries that are sentences and have no introduction stand alone.
    """
    items = [_item_unit(item) for item in _items(blocks)]
    sentence = _one_sentence(blocks, lead)
    if sentence is not None:
        return [sentence]
    context = lead.text if lead else ""
    whole = merged([*([_lead_unit(lead)] if lead else []), *items])
    is_bound = lead is not None or needs_introduction(blocks)
    if whole.is_short and is_bound:
        return [under(context, whole)]
    if not is_bound:
        return items
    return [under(context, part) for part in _parts(items, blocks, lead)]


def _items(blocks: Sequence[Block]) -> Iterator[list[Block]]:
    """The blocks of each entry of the outermost list; nested entries belong to theirs."""
    depth = blocks[0].depth
    item: list[Block] = []
    for block in blocks:
        if item and block.marker and block.depth <= depth:
            yield item
            item = []
        item.append(block)
    yield item


def _item_unit(item: Sequence[Block]) -> Unit:
    """An entry with what is nested in it, which is indented."""
    units = []
    for block in item:
        indent = "  " * (block.depth - item[0].depth)
        units.append(unit_of(replace(block, marker=indent + block.marker)))
    return merged(units, is_whole=len(units) > 1)


def _lead_unit(lead: Block) -> Unit:
    """The introduction as a part of what is quoted: it says best what the list is about."""
    unit = introduction(lead)
    return replace(unit, lead=0, pieces=((len(lead.marker), len(unit.text)),))


def _one_sentence(blocks: Sequence[Block], lead: Block | None) -> Unit | None:
    """Short entries as the end of the sentence that introduces them ("We deliver to: Austria; Spain")."""
    if lead is None or is_ordered(blocks) or not ends_open(lead.text):
        return None
    is_plain = all(block.marker and block.kind == "item" and "\n" not in block.text for block in blocks)
    is_flat = len({block.depth for block in blocks}) == 1
    if not (is_plain and is_flat and all(is_fragment(block.text) for block in blocks)):
        return None
    gap, separator = ("", "；") if lead.text.endswith("：") else (" ", "; ")
    text = lead.text + gap + separator.join(block.text for block in blocks)
    if len(text) > JOINED_LIST_CHARACTERS:
        return None
    unit = unit_of(replace(lead, text=text))
    return replace(unit, pieces=((len(lead.marker), len(unit.text)),))


def _parts(items: Sequence[Unit], blocks: Sequence[Block], lead: Block | None) -> Iterator[Unit]:
    """As many entries at a time as may be sent, each time behind the introduction, which says which ones they are."""
    start = 0
    while start < len(items):
        end = start + 1
        while end < len(items) and _part(items, start, end + 1, blocks, lead).is_short:
            end += 1
        yield _part(items, start, end, blocks, lead)
        start = end


def _part(items: Sequence[Unit], start: int, end: int, blocks: Sequence[Block], lead: Block | None) -> Unit:
    text = _label(lead.text if lead else "", blocks, first=start + 1, last=end, count=len(items))
    if not text:
        return merged(items[start:end])
    label = Block("text", blocks[0].heading, text, (lead or blocks[0]).start)
    return merged([introduction(label), *items[start:end]])


def _label(lead: str, blocks: Sequence[Block], *, first: int, last: int, count: int) -> str:
    """The introduction of a part, with the places of its entries when they are numbered."""
    if not is_ordered(blocks):
        return lead
    places = str(first) if first == last else f"{first}–{last}"
    if is_cjk((lead or blocks[0].text)[0]):
        return f"{_COLON.sub('', lead)}（共{count}步，第{places}步）：" if lead else f"第{places}步（共{count}步）："
    return f"{_COLON.sub('', lead)} ({places} of {count}):" if lead else f"Steps {places} of {count}:"
