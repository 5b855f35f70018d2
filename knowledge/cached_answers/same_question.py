"""When two questions are the same, and when they only look alike. Pure functions.

Vectors bring questions of one subject together, and with them "before" and "after", "Germany" and "France". So closeness
alone never makes two questions the same: whatever decides about an answer has to be identical, and only words that say
nothing about the subject may differ.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Sequence

from knowledge.folding import folded
from knowledge.search.terms import without_function_words, words
from knowledge.text import is_cjk, search_terms

# A longer text is a story with its teller's own details rather than a question that others ask too.
MAX_CHARACTERS = 300

_END_MARKS = " ?!.,;:…~。，；：、"
_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "`": "'"})
_CJK_SPACE = re.compile(r"(?<=[\u3040-\u30ff\u3400-\u9fff]) (?=[\u3040-\u30ff\u3400-\u9fff])")
_PERSONAL = re.compile(
    r"\S@\S|https?://|(?:\d[ \-./()]*){6,}|\bmy (?:full |last |first )?name\b|\bi(?:'m| am) called\b|我叫|我姓|名字|姓名"
)

_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_WORD = re.compile(r"[^\W\d_]+")


# Which of these a question holds decides what is asked; a search drops most of them as stop words.
_DECIDING = words("""
    who whom whose what which when where why how much many long often far before after from until since over under above
    below up down in out off on into without against between during only all any each every both either neither more less
    most least other another same instead again still yet already ever never not no nor none nothing nobody than once twice
    first second third last next half double one two three four five six seven eight nine ten eleven twelve must should
    too later earlier sooner
""")
_ASKING = words("""
    please hi hello hey thank thanks dear sir madam tell know want wonder wondering would like could can may might possible
    possibly able question ask asking quick quickly explain help wish just actually exactly
""")
# With these, what comes before and what comes behind are not the same.
_ORDERING = words("from to into for than instead with by of 从 到 给 被 把 比 换 改 转 向")

_ALTERNATIVE = re.compile(r"(.)(?:不|没)\1|有没有|是否|能否|可否")
_ZH_POLITE = re.compile("请问|你好|您好|请|麻烦|谢谢|想知道|想问|问一下|一下|告诉我?|帮忙|[吗呢吧啊呀嘛]")
_ZH_SAME = [
    (re.compile("怎么样|怎么办|怎样|如何"), "怎么"),
    (re.compile("何时|啥时候|几时"), "什么时候"),
    (re.compile("为何|为啥|干嘛"), "为什么"),
    (re.compile("在?哪里|在?哪儿"), "哪里"),
    (re.compile("多少钱|什么价格|价格是多少"), "多少钱"),
    (re.compile("能够|可以|能"), "能"),
]
_ZH_IDIOM = re.compile("一样|一般|统一|万一|唯一|一起|一直|一些|一个|一定|不过|不同|特别|区别|分别|没关系")
_ZH_DECIDING = re.compile(
    "什么时候|为什么|多少|多久|多长|多大|多远|怎么|哪里|什么|谁|几|哪|以前|之前|以后|之后|以上|以下|以内|超过|"
    "[不没无未别非从到给被把比前后上下内外进出左右每只仅最更再双半全各都一二两三四五六七八九十百千万]"
)


def normalised(question: str) -> str:
    """The question without what does not change it: width, script, case, blanks, the mark at its end. Idempotent."""
    text = unicodedata.normalize("NFKC", folded(question).casefold()).translate(_APOSTROPHES)
    text = _CJK_SPACE.sub("", " ".join(text.split()))
    return text.rstrip(_END_MARKS) or text


def looks_personal(question: str) -> bool:
    """Whether it seems to hold something of its author: an address, a name, a long number, or simply a lot of text."""
    text = normalised(question)
    return len(text) > MAX_CHARACTERS or _PERSONAL.search(text) is not None


def deciding_words_agree(first: str, second: str, language: str) -> bool:
    """Whether both hold the same numbers, negations, question words and directions, and nothing is turned round."""
    one, other = _prepared(first, language), _prepared(second, language)
    if Counter(_NUMBER.findall(one)) != Counter(_NUMBER.findall(other)):
        return False
    return _deciding(one, language) == _deciding(other, language) and _order_agrees(one, other)


def content_terms(question: str, language: str, stems: Collection[str]) -> frozenset[str]:
    """The terms that carry the subject: PostgreSQL's stems of English, pairs of characters of Chinese."""
    if language == "zh":
        return frozenset(search_terms(without_function_words(_prepared(question, language))))
    return frozenset(stem for stem in stems if stem not in _ASKING and f"{stem}e" not in _ASKING)


def differing_terms(first: frozenset[str], second: frozenset[str]) -> frozenset[str]:
    """The terms of one question that the other lacks; a pair of characters that the other holds apart does not differ."""
    apart = _characters(first) & _characters(second)
    return frozenset(term for term in first ^ second if not (_is_pair(term) and set(term) <= apart))


def _prepared(question: str, language: str) -> str:
    text = normalised(question)
    if language != "zh":
        return text.replace("n't", " not").replace("cannot", "can not")
    text = _ZH_POLITE.sub("", text)
    text = _ALTERNATIVE.sub(lambda match: match.group(1) or "", text)
    for pattern, word in _ZH_SAME:
        text = pattern.sub(word, text)
    return _ZH_IDIOM.sub("", text)


def _deciding(text: str, language: str) -> Counter[str] | frozenset[str]:
    if language == "zh":
        return Counter(_ZH_DECIDING.findall(text))
    return frozenset(_WORD.findall(text)) & _DECIDING


def _order_agrees(one: str, other: str) -> bool:
    first, second = _units(one), _units(other)
    if not _ORDERING & (set(first) | set(second)):
        return True
    shared = (set(first) & set(second)) - _ASKING
    return [unit for unit in first if unit in shared] == [unit for unit in second if unit in shared]


def _units(text: str) -> Sequence[str]:
    """Latin words and single Chinese characters, each once, in the order of the text."""
    found: dict[str, None] = {}
    for word in _WORD.findall(text):
        found.update(dict.fromkeys(word if is_cjk(word[0]) else [word]))
    return list(found)


def _is_pair(term: str) -> bool:
    return len(term) == 2 and all(is_cjk(character) for character in term)


def _characters(terms: Collection[str]) -> set[str]:
    return {character for term in terms if is_cjk(term[0]) for character in term}
