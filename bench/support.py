"""Fitting the score below which a reranker's opinion cuts a written sentence: SCORE_THRESHOLD in `checking/support.py`.

`python -m bench.support LABELLED.jsonl` reads a sentence a line: `{"supported": true, "support": 0.8, "score": 3.1}`, the last
two as traces hold them (`content.checking.sentences`), the label by a person, or by construction: right answers' sentences
against their own passage, and against one of another article. It prints the threshold with the best balance that cuts at most
6 % of the right sentences, and what the words alone do on the same lines.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from inference_worker.answering.checking.support import SUPPORT_SHARE
from knowledge.quoting.calibration import GateQuality, choose_threshold, gate_quality


@dataclass(frozen=True, slots=True)
class Labelled:
    """A sentence with what was measured of it and whether its passages back it."""

    supported: bool
    support: float
    score: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("labelled", type=Path)
    options = parser.parse_args()
    lines = options.labelled.read_text(encoding="utf-8").splitlines()
    labelled = [Labelled(**json.loads(line)) for line in lines if line.strip()]
    fitted = fit(labelled)
    print(json.dumps({"words": asdict(words_alone(labelled)), "score": asdict(fitted) if fitted else None}, indent=2))


def fit(labelled: Sequence[Labelled]) -> GateQuality | None:
    """The threshold among those sentences that their words let pass: the score only ever cuts. None with too few."""
    passing = [each for each in labelled if each.support >= SUPPORT_SHARE]
    right, wrong = ([each.score for each in passing if each.supported is label] for label in (True, False))
    return choose_threshold(right, wrong)


def words_alone(labelled: Sequence[Labelled]) -> GateQuality:
    """What the share of words does by itself."""
    right, wrong = ([each.support for each in labelled if each.supported is label] for label in (True, False))
    return gate_quality(SUPPORT_SHARE, right, wrong)


if __name__ == "__main__":
    main()
