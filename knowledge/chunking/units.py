"""What of an article can be sent as an answer: units of text, each with what it answers.

What is never sent alone belongs to what it introduces: a question to its answer, a title or a sentence that ends in a colon to
what follows.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from knowledge.chunking.lists import list_units, needs_introduction
from knowledge.chunking.markdown import Block, plain_blocks
from knowledge.chunking.markup import STEP
from knowledge.chunking.pieces import Unit, behind, ends_open, introduction, merged, under, unit_of, without_marks
from knowledge.sentences import answer_mark_length, is_question, question_mark_length, split_sentences

_INLINE_ANSWER = re.compile(r"\s(?=(?:A|Answer|Antwort|Respuesta|答|答案|回答)\s*\d{0,3}\s*[:：])")
_STEPS = -1


def article_units(body: str) -> list[Unit]:
    """The units of an article's Markdown body in reading order."""
    return [
        unit
        for _, group in groupby(plain_blocks(body), key=lambda block: block.heading)
        for unit in _section(list(group))
    ]


def _section(blocks: list[Block]) -> list[Unit]:
    """What stands under one heading; the text under a question is its answer."""
    units = _Reader(_turns(_numbered_steps(blocks))).units()
    heading = blocks[0].heading
    if units and heading and is_question(heading[-1]):
        whole = merged(units, lead=_begin(units[0]))
        return [whole] if whole.is_short else units
    return units


@dataclass(slots=True)
class _Reader:
    """One pass over the blocks of a section. `leads` are shown before the next unit, `title` stands over all that follow."""

    blocks: Sequence[Block]
    found: list[Unit] = field(default_factory=list)
    leads: list[Unit] = field(default_factory=list)
    title: str = ""
    questions: int = 0

    def __post_init__(self) -> None:
        self.questions = sum(map(_asks, self.blocks))

    def units(self) -> list[Unit]:
        """All units, in reading order."""
        position = 0
        while position < len(self.blocks):
            position = self._read(position)
        return self.found

    def _read(self, position: int) -> int:
        """Take what begins at the position; returns where the next thing begins."""
        block = self.blocks[position]
        if block.kind == "end":
            self.title, self.leads = "", []
            return position + 1
        if block.kind == "title":
            self.title, self.leads = block.text, [introduction(block)]
            return position + 1
        if _asks(block):
            end = _end_of_answer(self.blocks, position, is_alone=self.questions == 1)
            self._add(_pair(block, _Reader(self.blocks[position + 1 : end]).units()))
            return end
        if block.list_number:
            end = _end_of_list(self.blocks, position)
            self._add(list_units(self.blocks[position:end]))
            return end
        if block.kind in {"row", "code"}:
            self._add([unit_of(block)])
            return position + 1
        return self._read_text(block, position + 1)

    def _read_text(self, block: Block, position: int) -> int:
        """A paragraph; its last sentence may introduce what follows."""
        end = _end_of_list(self.blocks, position)
        listed = self.blocks[position:end]
        opens = ends_open(block.text)
        if not opens and not (listed and needs_introduction(listed)):
            self._add([unit_of(block)])
            return position
        rest, lead = _peeled(block)
        if rest is not None:
            self._add([unit_of(rest)])
        if listed:
            self._add(list_units(listed, lead))
            return end
        return self._introduce(lead, position)

    def _introduce(self, lead: Block, position: int) -> int:
        """A sentence that ends in a colon before anything but a list; with nothing behind it, it is no answer."""
        end = position
        while end < len(self.blocks) and self.blocks[end].kind == "row":
            end += 1
        if end > position:
            rows = [under(lead.text, unit_of(row)) for row in self.blocks[position:end]]
            self._add([behind([introduction(lead)], rows[0]), *rows[1:]])
            return end
        if end == len(self.blocks) or self.blocks[end].kind in {"end", "title", "question"} or _asks(self.blocks[end]):
            return position
        following = unit_of(self.blocks[end])
        if ends_open(following.text):
            self.leads.append(introduction(lead))
            return position
        whole = merged([introduction(lead), following])
        self._add([under(lead.text, whole if whole.is_short else behind([introduction(lead)], following))])
        return end + 1

    def _add(self, units: Sequence[Unit]) -> None:
        kept = [under(self.title, unit) for unit in units if unit.pieces]
        if kept:
            self.found += [behind(self.leads, kept[0]), *kept[1:]]
            self.leads = []


def _pair(question: Block, answer: Sequence[Unit]) -> list[Unit]:
    """A question and its answer as one unit of which the answer is quoted; a long answer is quoted in its parts."""
    if not answer:
        return []
    asked, first = without_marks(question.text), answer[0]
    whole = behind([introduction(question)], merged(answer))
    if not whole.is_short:
        parts = [behind([introduction(question)], first), *answer[1:]]
        return [under(asked, part) for part in parts]
    return [under(asked, replace(whole, lead=whole.lead + _begin(first)))]


def _begin(unit: Unit) -> int:
    """Where the quote begins when the unit comes first: behind a list marker or "A: " of a single piece."""
    return unit.lead if unit.is_whole else unit.pieces[0][0]


def _asks(block: Block) -> bool:
    """Whether the block is a question and nothing else."""
    if block.kind not in {"question", "text"} and not (block.kind == "item" and not block.list_number):
        return False
    return block.kind == "question" or (is_question(block.text) and not answer_mark_length(block.text))


def _end_of_answer(blocks: Sequence[Block], position: int, *, is_alone: bool) -> int:
    """Where the answer to the question at the position ends.

    Among several questions it reaches to the next one; a single one in running text is answered by the next paragraph.
    """
    end = position + 1
    while end < len(blocks) and not _asks(blocks[end]) and blocks[end].kind not in {"end", "title"}:
        end += 1
    is_marked = blocks[position].kind == "question" or question_mark_length(blocks[position].text) > 0
    if is_marked or not is_alone:
        return end
    near = min(position + 2, end)
    while near < end and blocks[near].kind != "text":
        near += 1
    return near


def _end_of_list(blocks: Sequence[Block], position: int) -> int:
    """Where the list that begins at the position ends; the position itself when there is none."""
    end = position
    while end < len(blocks) and blocks[end].list_number and blocks[end].list_number == blocks[position].list_number:
        end += 1
    return end


def _peeled(block: Block) -> tuple[Block | None, Block]:
    """A paragraph without its last sentence, and that sentence."""
    *others, last = split_sentences(block.text)
    if not others:
        return None, block
    rest = replace(block, text=block.text[: others[-1][1]])
    return rest, replace(block, text=block.text[slice(*last)], marker="")


def _turns(blocks: Sequence[Block]) -> list[Block]:
    """Paragraphs cut where a question in them ends; entries of a list of questions stand for themselves."""
    asking = Counter(block.list_number for block in blocks if block.marker and _begins_with_question(block.text))
    entries = Counter(block.list_number for block in blocks if block.marker and block.depth == 1)
    pairs = {number for number, count in asking.items() if number and count * 2 >= entries[number]}
    found: list[Block] = []
    for block in blocks:
        kind = "text" if block.kind == "item" else block.kind
        own = replace(block, list_number=0, kind=kind) if block.list_number in pairs else block
        found += _cut_turns(own) if own.kind == "text" else [own]
    return found


def _begins_with_question(text: str) -> bool:
    return question_mark_length(text) > 0 or any(is_question(text[a:b]) for a, b in split_sentences(text)[:1])


def _cut_turns(block: Block) -> Iterator[Block]:
    """A paragraph in its questions and what stands between them."""
    text = block.text
    if answer_mark_length(text):
        yield block
        return
    inline = _INLINE_ANSWER.search(text) if question_mark_length(text) else None
    if inline:
        yield replace(block, text=text[: inline.start()], kind="question")
        yield replace(block, text=text[inline.end() :], marker="")
        return
    spans = split_sentences(text)
    asks = [is_question(text[start:end][-40:]) for start, end in spans]
    if not any(asks) or (question_mark_length(text) and not any(asks[:-1])):
        yield block
        return
    for is_asked, group in groupby(zip(spans, asks, strict=True), key=lambda pair: pair[1]):
        spans_of = [span for span, _ in group]
        part = replace(
            block, text=text[spans_of[0][0] : spans_of[-1][1]], marker=block.marker if spans_of[0] == spans[0] else ""
        )
        is_last = spans_of[-1] == spans[-1]
        yield replace(part, kind="question") if is_asked and not is_last else part
        if not is_asked and part.text != text and not question_mark_length(text):
            yield Block("end", block.heading, "", block.start)


def _numbered_steps(blocks: Sequence[Block]) -> list[Block]:
    """Paragraphs that begin with the number of a step ("Step 2:", "第二步", "2、") as entries of one list."""
    steps = [block.kind == "text" and STEP.match(block.text) is not None for block in blocks]
    found = []
    for position, block in enumerate(blocks):
        is_among_steps = any(steps[max(position - 1, 0) : position] + steps[position + 1 : position + 2])
        if steps[position] and is_among_steps and not is_question(block.text):
            found.append(_step(block))
        else:
            found.append(block)
    return found


def _step(block: Block) -> Block:
    """The paragraph with its number as the marker of a list."""
    mark = STEP.match(block.text)
    shown = mark.end() if mark else 0
    text = block.text[shown:] or block.text
    return replace(block, kind="item", marker=block.text[:shown], text=text, depth=1, list_number=_STEPS)
