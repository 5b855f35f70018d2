"""Names of languages as files and folders give them, in the desk's two. Pure functions."""

from __future__ import annotations

import re

from helpdesk.tenants.models import Language

_TAG = re.compile(r"([a-z]{2,3})(?:-[a-z0-9]{2,8})*")
_PLACE = re.compile(r"en(?:-[a-z]{2})?|zh(?:-han[st])?(?:-[a-z]{2})?|cn")
_SUBTAGS = {
    Language.ENGLISH: {"en", "eng"},
    Language.CHINESE: {"zh", "zho", "chi", "cmn", "cn"},
}
_NAMES = {
    Language.ENGLISH: {"english", "英文", "英语", "英語"},
    Language.CHINESE: {"chinese", "mandarin", "中文", "汉语", "漢語", "简体中文", "繁體中文", "简体", "繁體"},
}


def language_of(name: str) -> Language | None:
    """The desk's language that the name means (`zh-CN`, `zh_Hans`, `EN`, `cn`, `English`, `中文`), or None."""
    folded = name.strip().casefold().partition(".")[0].replace("_", "-").replace(" ", "-")
    tag = _TAG.fullmatch(folded)
    for language in Language:
        if folded in _NAMES[language] or (tag and tag[1] in _SUBTAGS[language]):
            return language
    return None


def language_of_place(folders: tuple[str, ...], stem: str) -> Language | None:
    """What the file's place says: `returns.zh-CN` (its stem's last part), else the innermost folder of a language.

    Only tags count here: a folder called `chinese-evergreen` is about a plant, `cn-rail` about trains.
    """
    places = [stem.rpartition(".")[2] if "." in stem else "", *reversed(folders)]
    for place in places:
        if is_language_place(place):
            return language_of(place)
    return None


def is_language_place(part: str) -> bool:
    """Whether a folder or a part of a file's name is a language's tag."""
    return _PLACE.fullmatch(part.casefold().replace("_", "-")) is not None
