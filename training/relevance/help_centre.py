"""Examples from the invented help centres."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from evaluation.help_centre_files import BadHelpCentre, HelpCentreFile, Question, read_help_centre_file
from knowledge.folding import folded
from training.relevance.examples import Example, read_as

# The gate and the confidence are fitted on these: of what the reranker has learned from, it would be too sure.
TO_FIT = (
    "brightmoor-energy",
    "burrowkey",
    "dayinji",
    "hotel-sandpiper",
    "huanhua",
    "lidun-zhineng",
    "murmur-fm",
    "owlcrest",
    "shelfcount",
    "shouyan",
    "sunthatch",
    "tannet",
    "umbriel",
    "xianchengli-fresh",
)
# Nothing is learned from these, nor fitted on them: they measure.
TO_MEASURE = (
    "brightmoor-dental",
    "crumbtill",
    "gentlerise",
    "gongjijin",
    "mortar-moon",
    "pinxing",
    "vatvoyage",
    "wanmi",
)
HELD_BACK = (*TO_FIT, *TO_MEASURE)


def training_files(folder: Path) -> list[Path]:
    """The folder's help centres less those held back. Raises BadHelpCentre where there is none."""
    files = [path for path in sorted(folder.glob("*.json")) if path.stem not in HELD_BACK]
    if not files:
        raise BadHelpCentre(f"{folder} holds no help centres to learn from. Name a folder of JSON files.")
    return files


def help_centre_examples(path: Path) -> list[Example]:
    """An example of each question of the file. Raises BadHelpCentre."""
    file = read_help_centre_file(path)
    texts = {
        reference: read_as(
            place.sentence, title=place.article.title, heading=place.heading.strip(), before=place.before
        )
        for reference, place in file.places().items()
    }
    return list(_examples(file, texts))


def _examples(file: HelpCentreFile, texts: dict[str, str]) -> Iterator[Example]:
    for question in file.questions:
        right = {texts[reference] for reference in (*question.answers, *question.partial)}
        wrong = {reference: text for reference, text in texts.items() if text not in right}
        named = _articles(question)
        yield Example(
            question=folded(question.question),
            answers=tuple(texts[reference] for reference in question.answers),
            partial=tuple(texts[reference] for reference in question.partial),
            near=tuple(wrong[reference] for reference in question.near if reference in wrong),
            same=tuple(text for reference, text in wrong.items() if _article(reference) in named),
            far=tuple(text for reference, text in wrong.items() if _article(reference) not in named),
            is_help_centre=True,
        )


def _articles(question: Question) -> set[str]:
    return {_article(reference) for reference in (*question.answers, *question.partial, *question.near)}


def _article(reference: str) -> str:
    return reference.partition("/")[0]
