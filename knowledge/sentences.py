"""Where sentences end, in mixed text of several European languages and Chinese, and which of them ask. Pure functions."""

from __future__ import annotations

import re

from knowledge.text import CJK

_CLOSERS = "\"'”’」』）)\\]》"
# How far back an abbreviation is looked for: a text without any sentence end must not be read again at every full stop.
_LOOK_BACK = 24

# A full stop of Chinese always ends a sentence; a Latin one only before a space and something that can begin one.
_SENTENCE_END = re.compile(
    rf"[。！？]+[{_CLOSERS}]*|(?<![!?])[!?]+[{_CLOSERS}]*(?=[{CJK}])|(?<=[{CJK}])\.(?=[{CJK}])"
    rf"|(?<![.!?])[.!?]+[{_CLOSERS}]*(?=\s+[\"'“‘（(\[¿¡]?(?:[A-Z0-9\u00c0-\u00de]|[{CJK}])|\s*(?:\n|$))|\n"
)
_MONTHS_AND_DAYS = (
    "Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|Mon|Tues?|Wed|Thurs?|Thu|Fri|Sat|Sun"
    "|Jän|Febr|Okt|Dez|janv|févr|avr|juil|sept|oct|nov|déc|ene|abr|ago|dic"
)
# After these a sentence seldom begins: a name, an amount or an address follows.
_ABBREVIATION = re.compile(
    rf"(?:\b(?:{_MONTHS_AND_DAYS}|Mr|Mrs|Ms|Mx|Dr|St|Jr|Sr|Sra|Srta|Mme|Mlle|Prof|Gen|Col|Lt|Sgt|Rev|Hon|Hr|Fr|Frl|Ing|Dipl|vs"
    r"|etc|Inc|Ltd|Co|Corp|Cie|Bros|approx|ca|resp|al|est|min|max|incl|excl|inkl|exkl|zzgl|bzw|evtl|ggf|vgl|usw|sog|gem|lt|Abb"
    r"|Kap|Abs|Str|Hbf|Tel|tél|Fax|Mob|Dept|Depto|Ave|Avda|Blvd|Bd|Rd|Sq|Mt|Ft|Hwy|Apt|Ste|Bldg|Flr|env|aprox|máx|mín|Ud|Uds"
    r"|ej|av|qty|Qty|Attn|cf|viz|Ref|ref|temp|avg|std|Std|dept|tel|ext|Ext|a\.m|p\.m)"
    r"|\b[A-Za-z]|\b(?:[^\W\d_]{1,2}\.\s?){1,3}[^\W\d_]{1,2}|(?:^|\n)\s*\d{1,3})\.$"
)
# After these a number is meant: "No. 5", but "No. We never do."
_BEFORE_NUMBER = re.compile(
    r"\b(?:No|Nos|Nr|Nrn|nr|no|nº|núm|Núm|n|Art|art|Fig|fig|Vol|vol|Ch|ch|Sec|sec|pp|pg|pág|p|S|Pos|Ziff|Ver|ver|Mo|Di|Mi|Do|Fr|Sa|So"
    r"|lun|mar|mer|jeu|ven|sam|dim|mié|jue|vie|sáb|dom)\.$"
)
_DAY_OF_MONTH = re.compile(r"\b[0-3]?\d\.$")
_MONTH_NAME = re.compile(
    r"\s+(?:Jan|Jän|Feb|Mär|Apr|Mai|Jun|Jul|Aug|Sep|Okt|Nov|Dez|Werktag|Tag|Monat|Jahr|Klasse|Etage|Stock|OG)"
)
_PROMPT = re.compile(
    r"^\s*(?:(?:Q|Question|Frage|Pregunta|问题|问|問題|問|提问)\s*\d{0,3}\s*[:：]|Q\s*\d{0,3}\s*[.)、）]"
    r"|(?:问题?|問題?)\s*\d{1,3}\s*[.、]|Q\s*\d{1,3}\s+)\s*",
    re.IGNORECASE,
)
_REPLY = re.compile(
    r"^\s*(?:(?:A|Answer|Antwort|Respuesta|Réponse|R|答案|答复|回答|答)\s*\d{0,3}\s*[:：]|(?:A|答)\s*\d{1,3}\s*[.)、）])\s*",
    re.IGNORECASE,
)
_QUESTION_END = re.compile(rf"[?？][!！?？]*[{_CLOSERS}]*\s*$")


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Offsets [start, end) of the sentences, in order, without surrounding blanks; a line break always separates.

    Works on either language and on mixed text. Everything but blanks belongs to exactly one sentence.
    """
    spans: list[tuple[int, int]] = []
    start = 0
    for match in _SENTENCE_END.finditer(text):
        if match.group() != "\n" and match.end() < len(text) and _goes_on(text, start, match):
            continue
        _append_span(spans, text, start, match.end())
        start = match.end()
    _append_span(spans, text, start, len(text))
    return spans


def is_question(text: str) -> bool:
    """Whether the text asks something, or is marked as the question of a pair ("Q: …", "问：…")."""
    return _QUESTION_END.search(text[-40:]) is not None or question_mark_length(text) > 0


def question_mark_length(text: str) -> int:
    """How many characters at the beginning say that a question follows: "Q1: ", "问："; else 0."""
    found = _PROMPT.match(text[:40])
    return found.end() if found else 0


def answer_mark_length(text: str) -> int:
    """How many characters at the beginning say that an answer follows: "A: ", "答："; else 0."""
    found = _REPLY.match(text[:40])
    return found.end() if found else 0


def _goes_on(text: str, start: int, match: re.Match[str]) -> bool:
    """Whether the mark belongs to an abbreviation, a date or an ellipsis, so that the sentence goes on behind it."""
    if text[match.end()] == "\n" or match.group().startswith(("!", "?", "。", "！", "？")):
        return False
    if match.group().startswith(".."):
        return True
    before = text[max(start, match.end() - _LOOK_BACK) : match.end()].rstrip()
    after = text[match.end() : match.end() + 12]
    if _ABBREVIATION.search(before):
        return True
    if _BEFORE_NUMBER.search(before) and after.lstrip()[:1].isdigit():
        return True
    return _DAY_OF_MONTH.search(before) is not None and _MONTH_NAME.match(after) is not None


def _append_span(spans: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    piece = text[start:end]
    if not piece.strip():
        return
    start += len(piece) - len(piece.lstrip())
    end -= len(piece) - len(piece.rstrip())
    # A lone "..." or bracket belongs to the sentence before it.
    if spans and not any(character.isalnum() for character in piece) and "\n" not in text[spans[-1][1] : start]:
        spans[-1] = (spans[-1][0], end)
    else:
        spans.append((start, end))
