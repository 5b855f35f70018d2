"""Names: what a question calls by its own name, and whether a text speaks of it. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches

from knowledge.folding import folded
from knowledge.quoting import places
from knowledge.quoting.codes import MAX_CHARACTERS, NO_PREFIX, codes_in, pieces
from knowledge.quoting.quantities import quantities
from knowledge.search.terms import QueryTerm, is_stem, words
from knowledge.sentences import split_sentences
from knowledge.text import is_cjk

# How much of a name must agree: of a Chinese one the pairs of characters, of a Latin one the letters (difflib's ratio).
SAME_PAIRS = 0.6
SAME_LETTERS = 0.88

WORD = re.compile(r"[^\W_]+(?:['’.&-][^\W_]+)*")
_HAN = re.compile(r"[\u3400-\u9fff]+")
_QUOTED = re.compile(r"[“\"「『《]([^“”\"「」『』《》?？]{2,30})[”\"」』》]")
_LATIN_IN_CHINESE = re.compile(r"[A-Za-z][A-Za-z+&.-]*[A-Za-z]")
# Not what a question is about: who asks, when, and short forms that everybody writes instead of a word.
_NO_NAMES = words("""
    i i'm i'd i've i'll ok hi hello dear thanks please mr mrs ms dr sir madam am pm
    monday tuesday wednesday thursday friday saturday sunday mondays tuesdays wednesdays thursdays fridays saturdays sundays
    january february march april may june july august september october november december
    christmas easter xmas celsius fahrenheit
    faq pdf id app sms url pc tv wifi wi-fi vip qr usb email e-mail www com vat pin asap diy ai it
    what when where why who whom whose which how is are do does did can could will would should may might the a an my and
    in on at to for from of by with or but not no if q
""")
# A sentence about all of a class may speak of one that it does not name.
_ABOUT_A_CLASS = re.compile(
    r"\b(?:all|any|every|each|other|others|only|worldwide|abroad|international(?:ly)?|countr(?:y|ies)|eu|europe(?:an)?|outside|brands?"
    r"|anywhere|everywhere|whatever|both|most|none|no)\b|所有|任何|全部|其他|其它|仅|只|全球|全国|海外|国外|国际|境外|欧盟|各|均|都",
    re.IGNORECASE,
)


def names_in(question: str, *, language: str) -> tuple[str, ...]:
    """Names and quoted words: what stands in capitals within a sentence, and Latin words in a Chinese one."""
    plain = folded(question)
    quoted = [match.group(1) for match in _QUOTED.finditer(plain)]
    found = _latin_names(plain) if language == "zh" else _capitalised(plain)
    of_codes = {piece for code in codes_in(plain) for piece in (code, *pieces(code))}
    countries = [name.title() if name.islower() else name for name in places.places_in(plain).values()]
    return tuple(dict.fromkeys(each for each in (*quoted, *countries, *found) if each not in of_codes | NO_PREFIX))


def is_named(name: str, text: str) -> bool:
    """Whether the text speaks of the name: one of its words, in any form, or the country in another language."""
    plain = folded(text)
    if re.search(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", plain, re.IGNORECASE):
        return True
    countries = places.places_in(name)
    if countries:
        return bool(countries.keys() & places.places_in(plain).keys())
    if is_cjk(name[0]):
        pairs = [name[place : place + 2] for place in range(len(name) - 1)]
        return sum(pair in plain for pair in pairs) >= SAME_PAIRS * len(pairs)
    held = {_bare(match.group()) for match in WORD.finditer(_HAN.sub(" ", plain))}
    return any(_is_word_of(_bare(part), held) for part in name.split() if len(part) > 2)


def is_country(name: str) -> bool:
    """Whether the name is a country's."""
    return bool(places.places_in(name))


def is_known_word(name: str, terms: Sequence[QueryTerm]) -> bool:
    """Whether any passage of the tenant holds a word of the name; its terms say in how many."""
    return any(term.frequency and is_stem(term.text, part.casefold()) for part in pieces(name) for term in terms)


def speaks_of_a_class(text: str) -> bool:
    """Whether a sentence is about all or other ones of something, so that it need not name the one that was asked for."""
    return _ABOUT_A_CLASS.search(folded(text)) is not None


def without(names: Iterable[str], own: Collection[str]) -> tuple[str, ...]:
    """The names that are not the company's own."""
    known = {_bare(part) for name in own for part in name.split()}
    return tuple(name for name in names if not {_bare(part) for part in name.split()} <= known)


def _capitalised(text: str) -> list[str]:
    names: list[str] = []
    for start, end in split_sentences(text):
        spelled = list(WORD.finditer(text[start:end]))
        if len(spelled) > 2 and sum(word.group()[0].isupper() for word in spelled) > 0.7 * len(spelled):
            continue
        run: list[str] = []
        for word in spelled[1:]:
            plain = re.sub(r"['’]s?$", "", word.group())
            if plain[:1].isupper() and plain.casefold() not in _NO_NAMES and not plain.isdigit():
                run.append(plain)
                continue
            names += [" ".join(run)] if run else []
            run = []
        names += [" ".join(run)] if run else []
    return [name[:MAX_CHARACTERS] for name in names if len(name) > 1 and not name.startswith("New Year")]


def _latin_names(text: str) -> list[str]:
    spelled = [match.group() for match in _LATIN_IN_CHINESE.finditer(text)]
    return [
        word[:MAX_CHARACTERS] for word in spelled if word.casefold() not in _NO_NAMES and not quantities(f"1 {word}")
    ]


def _is_word_of(word: str, held: Collection[str]) -> bool:
    """The word, one made of it ("Californian"), or a slip of the pen."""
    if word in held:
        return True
    if len(word) < 5:
        return False
    return any(_is_made_of(word, other) for other in held) or bool(get_close_matches(word, held, 1, SAME_LETTERS))


def _is_made_of(word: str, other: str) -> bool:
    shorter, longer = sorted((word, other), key=len)
    return len(shorter) >= 5 and longer.startswith(shorter) and len(longer) - len(shorter) <= 3


def _bare(word: str) -> str:
    """A word without case, possessive and plural."""
    plain = re.sub(r"['’]s?$", "", folded(word).casefold())
    return plain[:-1] if len(plain) > 3 and plain.endswith("s") and not is_cjk(plain[-1]) else plain
