"""Rows pasted from a spreadsheet, as Markdown tables."""

from __future__ import annotations

import re
from collections.abc import Sequence

from knowledge.chunking.inline_markup import SourceLine

_SHORT_CELL = 200
_LEAST_ROWS = 3


def tables_of_rows(lines: Sequence[SourceLine]) -> list[SourceLine]:
    """Rows pasted from a spreadsheet (the same number of semicolons or tabs in each) as Markdown tables."""
    found: list[SourceLine] = []
    position = 0
    while position < len(lines):
        end = _end_of_rows(lines, position)
        if end - position >= _LEAST_ROWS:
            mark = _mark(lines[position].text)
            rows = [
                [cell.strip().replace("|", "\\|") for cell in line.text.split(mark)] for line in lines[position:end]
            ]
            found.append(SourceLine("", lines[position].number))
            for row, line in zip(rows, lines[position:end], strict=True):
                found.append(SourceLine(f"| {' | '.join(row)} |", line.number))
                if line is lines[position]:
                    found.append(SourceLine("|" + " - |" * len(row), line.number))
            found.append(SourceLine("", lines[end - 1].number))
        else:
            end = max(end, position + 1)
            found += lines[position:end]
        position = end
    return found


def _mark(text: str) -> str:
    return "\t" if "\t" in text.strip() else ";"


def _end_of_rows(lines: Sequence[SourceLine], first: int) -> int:
    mark = _mark(lines[first].text)
    count, end = lines[first].text.count(mark), first
    while count and end < len(lines) and lines[end].text.count(mark) == count and _is_row(lines[end], mark):
        end += 1
    return end


def _is_row(line: SourceLine, mark: str) -> bool:
    cells = line.text.split(mark)
    return (
        not line.is_code
        and all(len(cell) <= _SHORT_CELL for cell in cells)
        and not re.match(r"\s*[-*+>|<#&]", line.text)
    )
