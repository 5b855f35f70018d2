"""Options that the measuring commands share."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from evaluation.looking import STAGES
from evaluation.question_sets import articles_between


def add_shared(parser: ArgumentParser) -> None:
    """How many questions, where vectors are kept, and how the result is printed."""
    parser.add_argument(
        "--limit", type=int, default=0, metavar="N", help="ask only N questions (of each set), spread evenly"
    )
    parser.add_argument(
        "--vectors",
        type=Path,
        metavar="FILE",
        help="keep the passages' vectors here: asking the same articles again is quicker",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")


def add_without(parser: ArgumentParser) -> None:
    """Which stages are left out, for the share of each in the result."""
    parser.add_argument(
        "--without", nargs="+", default=[], choices=STAGES, metavar="STAGE", help=f"leave out: {', '.join(STAGES)}"
    )


def add_squad(parser: ArgumentParser) -> None:
    """A SQuAD-layout file with its language, or some of its articles."""
    parser.add_argument("--squad", type=Path, required=True, metavar="FILE")
    parser.add_argument("--language", choices=("en", "zh"), required=True)
    parser.add_argument(
        "--articles",
        type=articles_between,
        metavar="FROM:TO",
        help="only these articles of the file, from 0, without TO",
    )
