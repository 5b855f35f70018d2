"""Follow-up questions: what to search for when a message leans on the ones before it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.folding import folded
from knowledge.quoting.replacing import MAX_QUESTION, with_other_thing

# A short message, or one that points back, may need its predecessor's words to be searchable.
SHORT_WORDS = 5
SHORT_CHARACTERS = 9
MOSTLY_KNOWN = 0.5
POINTS_BACK = {
    "en": re.compile(
        r"^\s*(and|but|so|or|then|also|what about|how about)\b|\b(it|its|that|this|these|those|they|them|there|one|ones|same)\b",
        re.IGNORECASE,
    ),
    "zh": re.compile(r"^\s*(那|那么|还有|另外|如果|可是|但是)|它|这个|那个|这些|那些|这样|那样|呢[？?]?\s*$"),
}
_NO_THING = (
    r"(?!(?:it|i|you|he|she|they|we|there|is|are|was|do|does|did|can|could|will|would|has|have|how|what|when|where|why|who|which|not"
    r"|thanks|thank|please|yes|no|if|because|that's|it's|i'm|don't|doesn't|isn't|still"
    r"|(?:my|the) \w+ (?:is|was|has|does))\b)"
)
_CORRECTS = {
    "en": re.compile(
        r"(?:(?:no|nope|sorry|oh|wait|actually|oops|hm+|not (?:that|this)(?: one)?)\b[\s,.!:;-]*){0,3}"
        r"(?:(?:i|we) (?:mean|meant|actually meant|was asking about|am asking about|asked about|was talking about"
        r"|am talking about|wanted)|i'm (?:asking|talking) about|make (?:it|that)|rather)[\s,:]++(?:about |for )?"
        + _NO_THING
        + r"(?P<thing>.+)",
        re.IGNORECASE | re.DOTALL,
    ),
    "zh": re.compile(
        "(?:(?:不是|不对|错了|说错了|不|噢|哦|抱歉|不好意思|等等)[\\s,，。!！、]*){0,3}"
        "我?(?:说的是|指的是|问的是|要的是|是说|是指|是问|的意思是|想说的是|想问的是|说|指|问)(?P<thing>.+)",
        re.DOTALL,
    ),
}
_SAYS_NO = {
    "en": re.compile(
        r"(?:no|nope|sorry|oh|wait|actually|oops|not (?:that|this)(?: one)?)\b[\s,.!:;-]++"
        r"(?:(?:no|not (?:that|this|the \w+)(?: one)?)\b[\s,.!:;-]++)?"
        + _NO_THING
        + r"(?P<thing>[\w' .-]{1,60})[?.!]*",
        re.IGNORECASE,
    ),
    "zh": re.compile(
        "(?:不是|不对|错了|说错了|不)[\\s,，。!！、]+(?:应该)?(?:是)?(?P<thing>[^,，。?？!！]{1,20})[?？。!！]*"
    ),
}
_NO_CORRECTION_ZH = re.compile("(?:说|指|问)(?!的是)")
_ELLIPSIS = {
    "en": re.compile(
        r"(?:(?:and|but|so|or|then|also|ok|okay)\b[\s,]+)?(?:(?:what|how) about|what if it is|and|but|or)\s++" + _NO_THING
        + r"(?P<thing>[^,;?!]{1,60})[?.! ]*",
        re.IGNORECASE,
    ),
    "zh": re.compile(
        "(?:那么|那|还有|另外|如果是?|要是|换成)*+(?P<thing>[^,，。?？!！]{1,20}?)(?:的话|的)?(?:呢|怎么样|又?如何)[?？]*"
        "|(?:那么|那)(?P<bare>[^,，。?？!！]{1,12})[?？]*"
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What to search for instead of the message, or (`replaces` False) besides it."""

    query: str
    replaces: bool


def leans_on_history(question: str, language: str) -> bool:
    """Whether the question is short or points back, so that its words alone may not say what it is about."""
    question = folded(question)
    if POINTS_BACK[language].search(question):
        return True
    if language == "zh":
        return len(question.strip()) <= SHORT_CHARACTERS
    return len(question.split()) <= SHORT_WORDS


def follow_up(
    question: str, earlier_questions: Sequence[str], language: str, *, known: float | None
) -> FollowUp | None:
    """How to search for a question that leans on the one before it; None for one that stands alone.

    A correction ("no, the blue one") and an ellipsis ("and to Switzerland?") ask the same about another thing, which takes the
    place of the earlier one. Whatever else leans back is searched behind its predecessor as well.

    `known` is the share of the question's weight that the articles mention at all (None for a question without terms).
    A question about something that they never mention must not be answered from its predecessor's words.
    """
    if not earlier_questions or (known is not None and known < MOSTLY_KNOWN):
        return None
    before = understood(earlier_questions, language)
    meant = _with_other_thing(question, before, language)
    if meant is not None:
        return FollowUp(meant, replaces=True)
    if not leans_on_history(question, language):
        return None
    return FollowUp(f"{before} {question}", replaces=False)


def understood(questions: Sequence[str], language: str) -> str:
    """The last of the questions, whole: what it leaves out is put in from those before it."""
    whole = ""
    for question in questions:
        if not whole or len(whole) > MAX_QUESTION:
            whole = question
            continue
        meant = _with_other_thing(question, whole, language)
        is_bare = meant is None and _matched(question, _ELLIPSIS[language]) is not None
        whole = meant or (f"{whole} {question}" if is_bare else question)
    return whole


def _with_other_thing(question: str, before: str, language: str) -> str | None:
    """The question before, about the thing that this message names instead."""
    if len(question) > MAX_QUESTION:
        return None
    for patterns in (_CORRECTS, _SAYS_NO, _ELLIPSIS):
        thing = _matched(question, patterns[language])
        if thing is not None and not (patterns is _CORRECTS and language == "zh" and _asks_by_itself(question)):
            meant = with_other_thing(before, thing)
            if meant is not None:
                return meant
    return None


def _asks_by_itself(question: str) -> bool:
    """ "我问一下运费" is no correction: only "no" before it or "what I mean" makes it one."""
    plain = folded(question).strip()
    return (
        not re.match("不|错|说错|噢|哦|抱歉|等等", plain)
        and _NO_CORRECTION_ZH.match(plain.removeprefix("我")) is not None
    )


def _matched(question: str, pattern: re.Pattern[str]) -> str | None:
    found = pattern.fullmatch(folded(question).strip().replace("’", "'"))
    return None if found is None else next((each for each in found.groupdict().values() if each), None)
