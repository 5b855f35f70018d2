"""Countries that a text names, in either language, so that "Norway" is found in 挪威. The names are CLDR's."""

from __future__ import annotations

import re
from functools import cache

from babel import Locale

# Also words of everyday life, or first names, when written small.
_ALSO_WORDS = frozenset(
    {"turkey", "jersey", "china", "chad", "jordan", "georgia", "guinea", "panama", "mali", "niger", "us"}
)
_OTHER_NAMES = {
    "UK": "GB",
    "U.K.": "GB",
    "Great Britain": "GB",
    "Britain": "GB",
    "England": "GB",
    "USA": "US",
    "U.S.": "US",
    "US": "US",
    "America": "US",
    "Holland": "NL",
    "Turkey": "TR",
    "Czech Republic": "CZ",
    "香港": "HK",
    "澳门": "MO",
    "台湾": "TW",
    "中国大陆": "CN",
}


def places_in(text: str) -> dict[str, str]:
    """The codes of the countries that the text names, each with its name as written there. The text is folded."""
    found: dict[str, str] = {}
    for match in _pattern().finditer(text):
        name = match.group()
        if name.islower() and name in _ALSO_WORDS:
            continue
        if name.casefold() == "us" and name != "US":
            continue
        found.setdefault(_names()[name.casefold()], name)
    return found


@cache
def _names() -> dict[str, str]:
    names = {
        name.casefold(): code
        for language in ("en", "zh")
        for code, name in Locale(language).territories.items()
        if len(code) == 2 and code.isalpha() and code not in {"EU", "UN", "EZ", "ZZ"}
    }
    return names | {name.casefold(): code for name, code in _OTHER_NAMES.items()}


@cache
def _pattern() -> re.Pattern[str]:
    longest_first = sorted(_names(), key=len, reverse=True)
    written = "|".join(re.escape(name) if name.isascii() or not _is_han(name) else name for name in longest_first)
    return re.compile(rf"(?<![A-Za-z])(?:{written})(?![A-Za-z])", re.IGNORECASE)


def _is_han(name: str) -> bool:
    return all("\u4e00" <= character <= "\u9fff" for character in name)
