"""Labelled answers in files: one JSON object a line, as `evaluate_answers --labels` writes them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from tracing.calibration import LabelledAnswer
from tracing.plain import Malformed, from_plain, to_plain


class BadLabels(Exception):
    """A file of labels cannot be read; the message names file and line."""


def append_labels(path: Path, answers: Iterable[LabelledAnswer]) -> None:
    """Add the answers to the file's end."""
    with path.open("a", encoding="utf-8") as file:
        for answer in answers:
            file.write(json.dumps(to_plain(answer), ensure_ascii=False) + "\n")


def read_labels(paths: Iterable[Path]) -> list[LabelledAnswer]:
    """All answers of the files. Raises BadLabels."""
    answers = []
    for path in paths:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise BadLabels(f"{path} cannot be read: {error}") from error
        for number, line in enumerate(lines, 1):
            try:
                answers.append(from_plain(LabelledAnswer, json.loads(line)))
            except (ValueError, Malformed) as error:
                raise BadLabels(f"{path}, line {number}: {error}") from None
    return answers
