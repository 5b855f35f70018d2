"""Which sentences claim something: a greeting, a courtesy and a question back do not. Pure functions.

A sentence is a courtesy when it consists of courtesies: one word more, and it claims something. What it names (figures,
links, codes) is looked for in the passages all the same.
"""

from __future__ import annotations

import re
from enum import StrEnum

from inference_worker.answering.checking.units import CITATION, FENCE
from knowledge.folding import folded
from knowledge.search.terms import words

LONGEST_LEAD_IN = 80


class Speech(StrEnum):
    """What a sentence does."""

    CLAIM = "claim"
    COURTESY = "courtesy"
    LEAD_IN = "lead_in"
    # Says the question again, and may name what that names.
    ECHO = "echo"


_COURTESY = words("""
    hello hi hey dear there customer customers sir madam good morning afternoon evening welcome thank thanks you your for
    asking question questions reaching out contacting us writing message inquiry enquiry interest patience i am i'm we are
    we're happy glad pleased to help helping assist with this that of course sure certainly absolutely great hope helps
    helped answers answered was is helpful useful let me us know if have any more other further anything else need
    assistance please feel free do don't hesitate not ask contact reach get in touch sorry apologize apologise apologies
    for the inconvenience confusion trouble delay hear best kind warm regards wishes sincerely yours have a nice great
    lovely day week weekend enjoy can how today and or my at time our team support here will would be like
""")
# "Do not" is a courtesy in one phrase only.
_HESITATE = re.compile(r"\b(?:do not|don't) hesitate\b", re.IGNORECASE)
_NEGATION = re.compile(r"\b(?:not|don't)\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_PHRASES_ZH = """
    希望(?:以上|这|上述)?(?:信息|内容|回答|解答)?(?:能)?(?:对)?[您你]?(?:有所|有)?帮助(?:到[您你])?
    如(?:果)?[您你]?(?:还)?(?:有|需要)(?:任何|其他|其它|更多)?(?:的)?(?:疑问|问题|帮助|需要)
    (?:请|欢迎|可以)?(?:随时|再)?(?:与|和|跟)?(?:联系|咨询|告诉|询问|提问|告知)(?:我们|我|客服|人工客服)?
    感谢[您你]?(?:的)?(?:咨询|提问|来信|支持|耐心等待|耐心|等待|理解|关注|联系)? 非常感谢 谢谢[您你]? 多谢
    [您你]好 亲爱的(?:顾客|客户|用户) 尊敬的(?:顾客|客户|用户) 早上好 下午好 晚上好 好的 当然(?:可以)? 没问题
    很高兴(?:为[您你]服务|能帮助[您你]|帮助[您你])? (?:非常)?抱歉(?:给[您你]带来(?:的)?不便)? 对不起 不好意思
    祝[您你](?:生活愉快|购物愉快|愉快|有愉快的一天|一切顺利) 以上 我们 的 了 吧 哦 呢 啊
"""
# The longest first, so that nothing of a phrase is left over.
_COURTESIES_ZH = re.compile("|".join(sorted(_PHRASES_ZH.split(), key=len, reverse=True)))
_ECHO = re.compile(
    r"^\W*(?:you (?:asked|are asking|want to know|would like to know|wrote)|(?:regarding|concerning|as for) your question"
    r"|your question (?:is|was)|您问|你问|您想(?:知道|了解|问)|你想(?:知道|了解|问)|关于您的(?:问题|提问)|您的问题)",
    re.IGNORECASE,
)
# What a model says of its passages is nothing that they could say.
_NOT_FOUND = re.compile(
    r"\b(?:could not|couldn't|cannot|can't|did not|didn't|was unable to|were unable to) (?:find|locate)\b"
    r"|\b(?:passages?|articles?) (?:do|does) not (?:mention|answer|say|contain|provide)\b"
    r"|(?:没有|未能?|无法)(?:在[^。]{0,12})?找到|(?:资料|文章)(?:中|里)?(?:没有|未)(?:提到|提及|说明)",
    re.IGNORECASE,
)
_ASKS = re.compile(r"[?？][\s\"'”’」』）)]*$")
# A claim in a question's clothes.
_TELLS = re.compile(
    r"\b(?:did you know|isn't it|aren't they|right\?|don't you)|[您你](?:知道|知不知道)|对吧|不是吗", re.IGNORECASE
)
_BACK = re.compile(r"\b(?:you|your)\b|[您你]", re.IGNORECASE)
_MARKS = re.compile(r"[*_`#>|~]+")


def plain(text: str) -> str:
    """The sentence without its citations and the signs of its form."""
    return _MARKS.sub(" ", folded(CITATION.sub(" ", text))).replace("’", "'").strip()


def speech_of(text: str) -> Speech:
    """What the sentence does."""
    bare = plain(text)
    if text.startswith(FENCE) or not any(each.isalnum() for each in bare):
        return Speech.COURTESY
    if _is_courtesy(bare) or _NOT_FOUND.search(bare):
        return Speech.COURTESY
    if _ECHO.match(bare):
        return Speech.ECHO
    if _ASKS.search(bare) and _BACK.search(bare) and not _TELLS.search(bare):
        return Speech.COURTESY
    is_heading = text.lstrip().startswith("#") or re.fullmatch(r"\s*\*\*[^*]+\*\*\s*", text) is not None
    if len(bare) <= LONGEST_LEAD_IN and (is_heading or bare.endswith((":", "："))):
        return Speech.LEAD_IN
    return Speech.CLAIM


def _is_courtesy(bare: str) -> bool:
    without = _HESITATE.sub(" ", bare)
    if _NEGATION.search(without):
        return False
    without = _COURTESIES_ZH.sub("", without)
    return all(word.lower() in _COURTESY for word in _WORD.findall(without))
