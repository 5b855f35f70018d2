"""What a sentence must not invent: figures, codes, links, addresses, names. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from inference_worker.answering.checking.claims import plain
from inference_worker.answering.checking.figures import Figures, figures
from knowledge.folding import folded
from knowledge.quoting import codes, names, places
from knowledge.text import detect_language

_LINK = re.compile(
    r"(?:https?://|www\.)[^\s<>()\[\]\"'，。；、）】》]+"
    r"|(?<![\w@.-])(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:com|org|net|io|co|info|biz|shop|store|app|dev|eu|de|cn|uk|us|example|test|hk|me|ly)"
    r"(?:/[^\s<>()\[\]\"'，。；、）】》]*)?(?![\w@-])",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
# The target of a link in Markdown.
_TARGET = re.compile(r"\]\(\s*+([^)\s]++)[^)]*+\)")
_SCHEME = re.compile(r"^(?:https?://)?(?:www\.)?", re.IGNORECASE)
_FREE = re.compile(
    r"\b(?:free of charge|for free|gratis|complimentary|no (?:extra )?(?:charge|cost|fee)s?|(?:is|are) free)\b"
    r"|免费|包邮|免运费|不收",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a text names. `places` are the codes of countries."""

    figures: Figures
    links: frozenset[str]
    places: frozenset[str]
    is_free: bool

    def joined(self, other: Facts) -> Facts:
        """Those of both."""
        return Facts(
            figures=self.figures.joined(other.figures),
            links=self.links | other.links,
            places=self.places | other.places,
            is_free=self.is_free or other.is_free,
        )


def facts_of(text: str, *, is_source: bool = False) -> Facts:
    """The facts of a sentence or of a source."""
    raw = folded(text)
    links = _links(raw)
    bare = plain(_LINK.sub(" ", _EMAIL.sub(" ", _TARGET.sub("] ", raw))))
    without_codes = bare
    if not is_source:
        for code in codes.codes_in(bare):
            without_codes = without_codes.replace(code, " ")
    return Facts(
        figures=figures(without_codes, is_source=is_source),
        links=frozenset(links),
        places=frozenset(places.places_in(bare)),
        is_free=_FREE.search(bare) is not None,
    )


def _links(raw: str) -> set[str]:
    written = [*_EMAIL.findall(raw), *_TARGET.findall(raw), *_LINK.findall(_EMAIL.sub(" ", raw))]
    return {_SCHEME.sub("", each).rstrip("/.,;:!?").casefold() for each in written}


@dataclass(frozen=True, slots=True)
class Source:
    """A text that sentences are held against, with what it names; `own_names` need not stand in it."""

    text: str
    facts: Facts
    own_names: tuple[str, ...] = ()

    @classmethod
    def of(cls, text: str, own_names: Collection[str] = ()) -> Source:
        """Read the text."""
        return cls(text, facts_of(text, is_source=True), tuple(own_names))

    def joined(self, other: Source) -> Source:
        """Both together."""
        return Source(f"{self.text}\n{other.text}", self.facts.joined(other.facts), self.own_names)

    def reason_against(self, sentence: str) -> str:
        """Why the sentence says what this source does not: "link", "code", "number", "name"; "" when it does not."""
        said, bare = facts_of(sentence), plain(sentence)
        if not said.links <= self.facts.links:
            return "link"
        without_links = _LINK.sub(" ", _EMAIL.sub(" ", bare))
        if not all(codes.names_code(self.text, code) for code in codes.codes_in(without_links)):
            return "code"
        if self.facts.figures.lacks(said.figures) or (said.is_free and not self.facts.is_free):
            return "number"
        if not said.places <= self.facts.places or self._unknown_names(without_links):
            return "name"
        return ""

    def _unknown_names(self, bare: str) -> Sequence[str]:
        named = names.names_in(bare, language=detect_language(bare))
        named = tuple(name for name in named if not names.is_country(name))
        return [name for name in names.without(named, self.own_names) if not names.is_named(name, self.text)]
