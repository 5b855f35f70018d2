"""Reading what a message wants besides articles, clause by clause. Pure functions; the time grows with the length only."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from conversations.intents import contact_phrases, phrases
from conversations.intents.kinds import SMALL_TALK, Intent
from conversations.intents.spelling import Speller
from knowledge.folding import folded

# A longer message tells a story: something in it is for the articles, or for a person who reads it.
MAX_CHARACTERS = 600
MAX_CLAUSE = 120

_CLAUSE_END = re.compile(r"[.!?。！？…,，;；:：~～\n\r]+")
_APOSTROPHE = re.compile("['’‘´`]")
_NO_WORD = re.compile(r"[\W_]+")
_BEFORE, _AFTER = re.compile(phrases.POLITE_BEFORE), re.compile(phrases.POLITE_AFTER)
_BEFORE_ZH, _AFTER_ZH = re.compile(phrases.POLITE_BEFORE_ZH), re.compile(phrases.POLITE_AFTER_ZH)


def intent_of(message: str) -> Intent | None:
    """What the message wants when no article is needed for it, else None.

    The wish for a person counts wherever a clause is that wish; everything else only when nothing besides is said.
    """
    clauses = _clauses(message)
    if clauses is None:
        return None
    if not clauses:
        # A wave, a heart, a question mark.
        return Intent.GREETING
    if any(_matches(_wishes(), clause) for clause in clauses):
        return Intent.PERSON
    meant = [_meaning(clause) for clause in clauses]
    if None not in meant:
        return min((each for each in meant if each is not None), key=list(Intent).index)
    return _meaning(" ".join(clauses))


def open_intent(message: str) -> Intent | None:
    """What the message is about that a person can see to, for when the articles do not answer it; else None."""
    clauses = _clauses(message)
    if clauses is None:
        return None
    if any(_meaning(clause) is Intent.COMPLAINT for clause in clauses):
        return Intent.COMPLAINT
    whole = " ".join(clauses)
    if any(each.search(whole) for each in _compiled(phrases.ANY_ORDER)):
        return Intent.ORDER
    if _asks_for_contact(clauses) or any(each.search(whole) for each in _compiled(phrases.ANY_PERSON)):
        return Intent.PERSON
    return None


def asks_for_contact(message: str) -> bool:
    """Whether it asks for a way to a person: the articles may tell one, and whoever asks may want one now."""
    return _asks_for_contact(_clauses(message) or ())


def accepts_offer(message: str) -> bool:
    """Whether the message says yes, and nothing else, to what was offered last."""
    clauses = _clauses(message)
    return bool(clauses) and all(_matches(_compiled(phrases.YES), clause) for clause in clauses or ())


def without_small_talk(message: str) -> str:
    """The message without the greeting or thanks that it begins with: "Thanks! And to Norway?" asks "And to Norway?"."""
    rest = message.strip()
    while len(rest) <= MAX_CHARACTERS and (end := _CLAUSE_END.search(rest)) and end.end() < len(rest):
        plain = _plain(rest[: end.start()])
        if plain and _meaning(plain) not in SMALL_TALK:
            break
        rest = rest[end.end() :].strip()
    return rest


def _clauses(message: str) -> list[str] | None:
    """The clauses in plain words; None for a message that is too long to be read for its intent."""
    if len(message) > MAX_CHARACTERS:
        return None
    text = _APOSTROPHE.sub("", folded(message).casefold())
    return [plain for each in _CLAUSE_END.split(text) if (plain := _plain(each))]


def _plain(clause: str) -> str:
    """Words in small letters with single blanks, slips of the pen put right; Chinese without blanks."""
    text = _NO_WORD.sub(" ", _APOSTROPHE.sub("", folded(clause).casefold())).strip()
    if not text.isascii():
        return text.replace(" ", "")
    return " ".join(_speller().corrected(word) for word in text.split(" "))


def _asks_for_contact(clauses: Sequence[str]) -> bool:
    known = _compiled((*contact_phrases.CONTACT, *contact_phrases.CONTACT_ZH))
    return any(_matches(known, clause) for clause in clauses)


def _meaning(clause: str) -> Intent | None:
    if len(clause) > MAX_CLAUSE:
        return None
    if _matches(_wishes(), clause):
        return Intent.PERSON
    return next((intent for intent, known in _known() if _matches(known, clause)), None)


def _matches(known: tuple[re.Pattern[str], ...], clause: str) -> bool:
    return len(clause) <= MAX_CLAUSE and any(
        pattern.fullmatch(text) for text in _bare_forms(clause) for pattern in known
    )


def _bare_forms(clause: str) -> list[str]:
    """The clause as it is, and without what is only polite around it."""
    before, after = (_BEFORE, _AFTER) if clause.isascii() else (_BEFORE_ZH, _AFTER_ZH)
    begun = before.sub("", clause)
    forms = (clause, begun, after.sub("", clause), after.sub("", begun))
    return [text for text in dict.fromkeys(forms) if text]


@cache
def _speller() -> Speller:
    return Speller(phrases.KEY_WORDS, other=phrases.NO_SLIPS)


@cache
def _compiled(written: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(each) for each in written)


@cache
def _wishes() -> tuple[re.Pattern[str], ...]:
    return _compiled((*phrases.PERSON_WISHES, *phrases.PERSON_WISHES_ZH))


@cache
def _known() -> tuple[tuple[Intent, tuple[re.Pattern[str], ...]], ...]:
    return tuple((intent, _compiled(written)) for intent, written in phrases.WHOLE)
