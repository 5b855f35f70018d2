"""The same question about another thing: "to Switzerland" put where "to Austria" stood. Pure functions.

What is put in takes the place of what is of its sort: a code, a country, a quantity, a name, what follows the same preposition,
what shares its last word, the noun behind an article. Where nothing is of its sort, nothing is replaced.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from knowledge.folding import folded
from knowledge.quoting import names, places
from knowledge.quoting.codes import codes_in
from knowledge.quoting.quantities import quantities
from knowledge.search.terms import words

# What is longer is a question of its own, and so is what it would be put into.
MAX_THING, MAX_QUESTION = 60, 300

_ENDS = (
    "(?:to|in|for|from|with|by|on|at|cost|costs|take|takes|arrive|arrives|need|needs|last|work|works|if|when|and|or|is|are|as|before"
    "|after)"
)
_PREPOSITION = re.compile(
    r"(to|in|into|for|from|with|without|by|on|at|during|within|under|over|after|before|near|of|about) (?=\S)",
    re.IGNORECASE,
)
_ARTICLE = re.compile(r"(?:the|an?|my|your|our|this|that|these|those) (?=\S)", re.IGNORECASE)
_NO_MODIFIER = words("""
    is are was were be do does did can could will would should may have has had the a an my your our this that these those
    any some to in for from with by on at of about and or how much many long what when where why which who you i we they
    it its not no cost costs get want need buy order return
""")
_NOUN_PHRASE = re.compile(
    r"\b(?:the|an?|my|your|our) (?P<noun>[\w-]+(?: [\w-]+){0,2}?)"
    r"(?=(?: (?:of|in|on|for|to|with|from|by|at|is|are|was|were|cost|costs|take|takes|come|comes|need|needs|last|lasts"
    r"|weigh|weighs|work|works|have|has|do|does|can|will|and|or|that|which|when|if|be|included|available|again)\b)|\s*[?.!,;]|\s*$)",
    re.IGNORECASE,
)
_DAY = re.compile(
    r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|\bweek(?:end|day)s?\b|\b(?:public )?holidays?\b|\btomorrow\b|\btoday\b"
    "|(?:周|星期|礼拜)[一二三四五六日天末]|工作日|节假日|周末|明天|今天|后天",
    re.IGNORECASE,
)
_ONE = re.compile(r"\bones?$", re.IGNORECASE)
# Chinese: characters that belong to no thing's name, and verbs that are followed by one.
_STOPS = "的是要买和在到了吗多少请问我你您们想有能可以个这那用对把被跟与给寄送退换呢吧啊得几怎么什样为哪谁,，。?？!！ "
_VERBS_ZH = re.compile(
    "(?:寄到|送到|发到|寄往|发往|送去|寄去|换成|换到|升级到|升级成|退到|去|到|在|用|给|从|往|寄|送|买|订)(?=.)"
)


def with_other_thing(question: str, thing: str) -> str | None:
    """The question with that thing instead of what it has of its sort; None when it has nothing of it."""
    thing = thing.strip(" \t\n,.;:!?，。；：！？")
    if not thing or len(thing) > MAX_THING or len(question) > MAX_QUESTION:
        return None
    question, thing = folded(question), folded(thing)
    ways: tuple[Callable[[str, str], str | None], ...]
    ways = (_other_code, _other_place, _other_day, _other_quantity, _other_name)
    ways += (_other_phrase_zh, _other_kind_zh) if _is_chinese(thing) else (_other_phrase, _other_modifier, _other_noun)
    return next((put for way in ways if (put := way(question, thing)) is not None and put != question), None)


def _other_code(question: str, thing: str) -> str | None:
    return _put(question, codes_in(question), codes_in(thing))


def _other_place(question: str, thing: str) -> str | None:
    return _put(question, tuple(places.places_in(question).values()), tuple(places.places_in(thing).values()))


def _other_day(question: str, thing: str) -> str | None:
    return _put(question, _DAY.findall(question), _DAY.findall(thing))


def _other_quantity(question: str, thing: str) -> str | None:
    known, meant = quantities(question), quantities(thing)
    same = [each for each in known if meant and each.kind == meant[0].kind]
    return _put(question, [each.text for each in same], [each.text for each in meant])


def _other_name(question: str, thing: str) -> str | None:
    language = "zh" if _is_chinese(question) else "en"
    # A thing by itself begins with its name, which in a sentence would be no sign of one.
    spelled = thing if language == "zh" else f"about {thing}"
    return _put(question, names.names_in(question, language=language), names.names_in(spelled, language=language))


def _put(question: str, known: tuple[str, ...] | list[str], meant: tuple[str, ...] | list[str]) -> str | None:
    """The last one of that sort that the question has, replaced by the first one that is meant."""
    if not known or not meant:
        return None
    before, found, after = question.rpartition(known[-1])
    return f"{before}{meant[0]}{after}" if found else None


def _other_phrase(question: str, thing: str) -> str | None:
    """What follows the same preposition, up to the next one or the end."""
    led = _PREPOSITION.match(thing)
    if led is None:
        return None
    pattern = rf"\b{led.group(1)} (?P<noun>[^,;?.!]{{1,60}}?)(?=\s+{_ENDS}\b|\s*[,;?.!]|\s*$)"
    found = [match for match in re.finditer(pattern, question, re.IGNORECASE) if not _is_infinitive(question, match)]
    if not found:
        return None
    start, end = found[-1].span("noun")
    return question[:start] + thing[led.end() :] + question[end:]


def _is_infinitive(question: str, match: re.Match[str]) -> bool:
    """ "to return", "to get": what follows is no thing that another could stand for."""
    before = question[: match.start()].split()
    leads = {"have", "need", "want", "how", "like", "possible", "able", "going", "where", "what", "when", "has"}
    return match.group().lower().startswith("to ") and bool(before) and before[-1].lower() in leads


def _other_modifier(question: str, thing: str) -> str | None:
    """ "express delivery" for "standard delivery": the same last word, with what stands before it."""
    head = thing.rsplit(maxsplit=1)[-1]
    if _ONE.search(head) or _PREPOSITION.match(thing):
        return None
    found = re.search(rf"(?:(?P<modifier>[\w-]+) )?\b{re.escape(head)}\b", question, re.IGNORECASE)
    if found is None:
        return None
    begin = found.start()
    if found["modifier"] and found["modifier"].lower() in _NO_MODIFIER:
        begin += len(found["modifier"]) + 1
    return question[:begin] + _ARTICLE.sub("", thing, count=1) + question[found.end() :]


def _other_noun(question: str, thing: str) -> str | None:
    """ "the blue one" for "the red pot" is the blue pot, "the vase" the vase."""
    found = list(_NOUN_PHRASE.finditer(question))
    is_thing = _ARTICLE.match(thing) or len(thing.split()) <= 2
    if not found or not is_thing or _PREPOSITION.match(thing):
        return None
    bare = _ARTICLE.sub("", thing, count=1)
    start, end = found[-1].span("noun")
    if _ONE.search(bare):
        bare = _ONE.sub(question[start:end].rsplit(maxsplit=1)[-1], bare).strip()
    return question[:start] + bare + question[end:]


def _other_phrase_zh(question: str, thing: str) -> str | None:
    """What follows the same verb: 寄到香港 for 寄到北京."""
    led = _VERBS_ZH.match(thing)
    if led is None:
        return None
    found = re.search(f"{led.group()}([^{_STOPS}]{{1,6}})", question)
    return None if found is None else question[: found.start(1)] + thing[led.end() :] + question[found.end(1) :]


def _other_kind_zh(question: str, thing: str) -> str | None:
    """What ends alike: 会员版 for 普通版."""
    last = thing[-1]
    if last in _STOPS:
        return None
    found = re.search(f"([^{_STOPS}]{{1,6}}){re.escape(last)}", question)
    return None if found is None else question[: found.start()] + thing + question[found.end() :]


def _is_chinese(text: str) -> bool:
    return not text.isascii() and re.search("[\u4e00-\u9fff]", text) is not None
