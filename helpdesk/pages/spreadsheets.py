"""Tables as files for spreadsheets (CSV), in which no cell is a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

# Excel takes a file for UTF-8 only with this mark.
BYTE_ORDER_MARK = "\ufeff".encode()
# What a spreadsheet may run as a formula at the start of a cell, full width too.
FORMULA_STARTS = "=+-@\t\r\n＝＋－＠"


def text_row(values: Sequence[object]) -> bytes:
    """One row of any table."""
    line = io.StringIO()
    csv.writer(line).writerow([_cell(value) for value in values])
    return line.getvalue().encode()


def _cell(value: object) -> object:
    """Numbers stay numbers; text that begins like a formula gets an apostrophe, which spreadsheets do not show."""
    if value is None or isinstance(value, int | float):
        return value
    text = str(value)
    begins_like_one = text.startswith(tuple(FORMULA_STARTS)) or text.lstrip().startswith(tuple(FORMULA_STARTS))
    return f"'{text}" if begins_like_one else text
