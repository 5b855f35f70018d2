"""Which code a sentence is about, where its title or heading names one and it names another. Pure functions."""

from __future__ import annotations

import re

from knowledge.folding import folded
from knowledge.quoting import codes

# What a sentence begins with before the thing that it is about.
_BEGIN = re.compile(
    r"^[\W_]*(?:(?:the|an?|our|your|this|for|with|of|in|on|model|type|version|error(?: code)?|code)\s+)*"
    r"(?:型号|款式|对于|关于|错误代?码)?[\W_]*",
    re.IGNORECASE,
)
# What stands before a thing that another one is held against, or goes with: the sentence is about that other one.
_COMPARED = re.compile(
    r"(?:\b(?:than|unlike|like|compared (?:to|with)|in contrast to|instead of|replac(?:es?|ing)"
    r"|(?:successor|predecessor) (?:to|of)|compatible with|fits?|works? with|as well as|similar to"
    r"|same as|versus|vs)\W+(?:\w+\W+){0,2}"
    r"|(?:比|不同于|替代|取代|代替|兼容|适配|适用于|相比|搭配|相当于)\W*)$",
    re.IGNORECASE,
)


def without_others(head: str, sentence: str) -> str:
    """The title or heading without the codes in whose place the sentence names another.

    Another one of the same kind ("KL-35" under "KL-20A") takes its place wherever it stands, one of another kind when the
    sentence begins with it: "filter F-12" is a part of the pump, "F-12 draws 20 W" is not about it. A sentence that names
    the title's code too, or only compares with the other, is about the title's.
    """
    said = [code for code in codes.codes_in(sentence) if not _is_compared(sentence, code)]
    for code in codes.codes_in(head):
        if codes.names_code(sentence, code):
            continue
        if any(codes.is_sibling(code, other) or _begins_with(sentence, other) for other in said):
            head = codes.without_code(head, code)
    return head


def _begins_with(sentence: str, code: str) -> bool:
    plain = folded(sentence)
    begun = _BEGIN.match(plain)
    return plain[begun.end() if begun else 0 :].casefold().startswith(code.casefold())


def _is_compared(sentence: str, code: str) -> bool:
    plain = folded(sentence).casefold()
    return _COMPARED.search(plain[: max(plain.find(code.casefold()), 0)]) is not None
