"""Tables as sentences: each row under its column heads, so that it can be read alone."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from knowledge.sentences import is_question
from knowledge.text import is_cjk

_DIGIT = re.compile(r"\d")
_BREAK = "\x00"

Part = tuple[str, str]


def row_parts(header: Sequence[str], row: Sequence[str]) -> list[Part]:
    """A row as (kind, text): one sentence, or a question and its answer where the first of two cells asks."""
    if len(row) == 2 and row[1] and is_question(row[0]):
        return [("question", row[0]), ("text", row[1]), ("end", "")]
    text = row_text(header, row)
    return [("row", text)] if text else []


def row_text(header: Sequence[str], row: Sequence[str]) -> str:
    """A row as a sentence: its first cell names it, each other cell stands after its column's name."""
    chinese = any(is_cjk(character) for character in "".join([*header, *row]))
    dash, colon, separator = ("——", "：", "；") if chinese else (" — ", ": ", "; ")
    if len(row) == 2 and not any(header[1:]):
        dash = colon
    cells = [
        f"{name}{colon}{cell}" if name else cell
        for name, cell in zip(list(header[1:]) + [""] * len(row), row[1:], strict=False)
        if cell
    ]
    return dash.join(part for part in (row[0] if row else "", separator.join(cells)) if part)


def cell_text(text: str) -> str:
    """A cell in one line; what stood on lines of its own is kept apart."""
    lines = [" ".join(line.split()) for line in text.replace(_BREAK, "\n").split("\n")]
    kept = [line for line in lines if line]
    joined = kept[0] if kept else ""
    for line in kept[1:]:
        joined += (
            ("" if joined[-1] in ",;，；、。:：" else "，" if is_cjk(joined[-1]) else ",")
            + " " * (not is_cjk(joined[-1]))
            + line
        )
    return joined


@dataclass(slots=True)
class _Cell:
    words: list[str] = field(default_factory=list)
    is_heading: bool = False
    columns: int = 1
    rows: int = 1

    @property
    def text(self) -> str:
        """What it says."""
        return cell_text(" ".join("".join(self.words).split()))


@dataclass(slots=True)
class Table:
    """An HTML table as it is read."""

    cells: list[list[_Cell]] = field(default_factory=list)
    is_cell_open: bool = False

    def open_row(self) -> None:
        """A new row begins."""
        self.cells.append([])
        self.is_cell_open = False

    def open_cell(self, *, is_heading: bool, columns: int, rows: int) -> None:
        """A new cell begins; it may span several columns or rows."""
        if not self.cells:
            self.open_row()
        self.cells[-1].append(_Cell(is_heading=is_heading, columns=columns, rows=rows))
        self.is_cell_open = True

    def close_cell(self) -> None:
        """The open cell ends; what stands between two cells is no text."""
        self.is_cell_open = False

    @property
    def words(self) -> list[str]:
        """The texts of the open cell."""
        return self.cells[-1][-1].words if self.is_cell_open else []

    def add(self, text: str) -> None:
        """Text of the open cell."""
        if self.is_cell_open:
            self.words.append(text)

    def rows(self) -> Iterator[list[Part]]:
        """The rows under their column heads, once the table is read."""
        grid = _grid(self.cells)
        header: list[str] = []
        for number, (cells, row) in enumerate(zip(self.cells, grid, strict=True)):
            if _is_header(cells, row, is_first=number == 0, is_alone=len(grid) == 1):
                header = row
            else:
                yield row_parts(header, row)


def _is_header(cells: Sequence[_Cell], row: Sequence[str], *, is_first: bool, is_alone: bool) -> bool:
    """A row of `<th>`, or a first row of plain cells that holds names only."""
    if is_alone or not cells:
        return False
    return all(cell.is_heading for cell in cells) or (
        is_first and len(row) > 1 and not any(cell.is_heading or _DIGIT.search(cell.text) for cell in cells)
    )


def _grid(cells: Sequence[Sequence[_Cell]]) -> list[list[str]]:
    """Each row's texts, one for each column: a cell that spans several stands in each of them."""
    open_cells: dict[int, tuple[int, str]] = {}
    grid: list[list[str]] = []
    for row in cells:
        texts: list[str] = []
        waiting = deque((cell, cell.text) for cell in row)
        while waiting or len(texts) in open_cells:
            column = len(texts)
            left, text = open_cells.pop(column, (0, ""))
            if not left:
                cell, text = waiting.popleft()
                left = cell.rows
                if cell.columns > 1:
                    waiting.appendleft((_Cell(columns=cell.columns - 1, rows=cell.rows), text))
            if left > 1:
                open_cells[column] = (left - 1, text)
            texts.append(text)
        grid.append(texts)
    return grid
