"""What a question names, and whether the quoted sentences speak of it. Pure functions.

Vectors take XJ-300 for XJ-350 and Norway for Iceland: of one subject, and so the nearest. So whatever a question names is
looked for in what would be quoted: its words, its title and headings, the question that it answers. What is missing is told,
recorded, and lowers what is claimed; more evidence never adds to what is missing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from knowledge.folding import folded
from knowledge.quoting.names import WORD
from knowledge.quoting.quantities import Quantity, quantities
from knowledge.search.terms import QueryTerm, is_stem, words

Kind = Literal["code", "name", "quantity", "kind", "subject"]

_BREAKS = words("""
    of in on at to for from with by if when while and or that which who is are was were do does did can could will would should
    may be been after before than as i you we it they there about into onto over under without still not until per via like
""")
_DETERMINERS = words("a an the my your our this these those any some another")
# Situations rather than things: "40 litre" names a pack, "two weeks" and "50 euros" what happened to somebody.
_NAMING_KINDS = frozenset({"volume", "power", "voltage"})


@dataclass(frozen=True, slots=True)
class Mention:
    """Something that a question names, as it is written there. `is_unknown`: no article that was found holds it either."""

    text: str
    kind: Kind
    is_unknown: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What of a question the evidence does not speak of, and what of the same sort the articles know.

    `is_refusal`: what is missing is what was asked about, and no article knows it. Otherwise what is missing only makes the
    answer uncertain.
    """

    missing: tuple[Mention, ...] = ()
    known_alternatives: tuple[str, ...] = ()
    is_refusal: bool = False

    @property
    def unknown_names(self) -> tuple[str, ...]:
        """The codes and names that no article holds."""
        return tuple(each.text for each in self.missing if each.is_unknown and each.kind in {"code", "name"})


def subjects_in(question: str, terms: Sequence[QueryTerm]) -> tuple[tuple[str, frozenset[str]], ...]:
    """What an English question is about: the words behind a determiner, each group with its search terms."""
    groups: list[tuple[str, frozenset[str]]] = []
    asked = [match.group().lower() for match in WORD.finditer(folded(question))]
    for place, word in enumerate(asked):
        if word not in _DETERMINERS:
            continue
        group = []
        for following in asked[place + 1 : place + 4]:
            if following in _BREAKS or following in _DETERMINERS:
                break
            group.append(following)
        stems = frozenset(term.text for each in group for term in terms if is_stem(term.text, each))
        if stems:
            groups.append((" ".join(group), stems))
    return tuple(groups)


def quantities_missing(question: str, evidence: str) -> tuple[str, ...]:
    """The quantities by which the question tells things apart and that the evidence does not tell."""
    told = {(each.number, each.unit) for each in quantities(evidence)}
    named = quantities_that_name(question)
    return tuple(dict.fromkeys(each.text for each in named if (each.number, each.unit) not in told))


def quantities_that_name(question: str) -> tuple[Quantity, ...]:
    """Numbers with units that tell a thing from others: a 40-litre pack, a 12 V pump, a 12-month plan."""
    return tuple(
        each
        for each in quantities(question)
        if each.kind in _NAMING_KINDS or (re.search(r"\d-[a-z]", each.text, re.IGNORECASE) and each.kind != "time")
    )
