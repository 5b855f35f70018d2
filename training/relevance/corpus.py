"""The sources of examples by name: the help centres, and public question sets that are given by path and never packaged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from training.relevance.examples import Example
from training.relevance.help_centre import help_centre_examples, training_files
from training.relevance.squad import BadQuestionSet, across, squad_examples

HELP_CENTRES, SQUAD, DRCD = "help centres", "SQuAD", "DRCD"
XQUAD_ENGLISH, XQUAD_CHINESE, XQUAD_ACROSS = "XQuAD English", "XQuAD Chinese", "XQuAD across"


@dataclass(frozen=True, slots=True)
class Places:
    """Where the sources lie; what is None or empty is not learned from."""

    help_centres: Path
    squad: Path | None = None
    drcd: Sequence[Path] = ()
    xquad_english: Path | None = None
    xquad_chinese: Path | None = None


def read_sources(places: Places) -> dict[str, list[Example]]:
    """The examples of each source by its name. Raises BadHelpCentre and BadQuestionSet."""
    files = training_files(places.help_centres)
    sources = {HELP_CENTRES: [example for path in files for example in help_centre_examples(path)]}
    if places.squad:
        sources[SQUAD] = [asked.example for asked in squad_examples(places.squad)]
    if places.drcd:
        sources[DRCD] = [each.example for path in places.drcd for each in squad_examples(path, learned_only=False)]
    english = squad_examples(places.xquad_english) if places.xquad_english else []
    if english:
        sources[XQUAD_ENGLISH] = [asked.example for asked in english]
    if places.xquad_chinese:
        if places.xquad_english is None:
            raise BadQuestionSet("The Chinese XQuAD needs the English one beside it, whose titles name the articles.")
        chinese = squad_examples(places.xquad_chinese, titles_of=places.xquad_english)
        sources[XQUAD_CHINESE] = [asked.example for asked in chinese]
        if english:
            sources[XQUAD_ACROSS] = across(english, chinese)
    return sources
