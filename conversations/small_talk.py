"""Messages that ask nothing of the articles: a greeting, thanks, a farewell, or the wish for a person. Pure functions.

Only a message that is nothing else counts: "Hi, when do you open?" is a question.
"""

from __future__ import annotations

import re
from enum import StrEnum

from knowledge.folding import folded


class SmallTalk(StrEnum):
    """What such a message wants."""

    GREETING = "greeting"
    THANKS = "thanks"
    PARTING = "parting"
    PERSON = "person"


_NO_WORDS = re.compile(r"[^\w'+]+|_+")
_POLITE = re.compile(
    r"\b(?:please|pls|thanks|thank you|now)$|^(?:please|pls|ok|okay|hi|hello|hey|sorry|yes|no|well)\b(?=.)"
)
_POLITE_ZH = re.compile(
    "^(?:请问|请|麻烦(?:你|您)?|你好|您好|好的)+(?=.)|(?:谢谢|好吗|可以吗|吧|啊|呀|吗|呢|哦|哈|了)+$"
)
_WHOM = (
    r"(?:real |live |actual |human )*(?:person|people|human(?: being)?|someone|somebody|agent|representative|rep|operator"
    r"|advisor|adviser|employee|staff(?: member)?|colleague|customer (?:service|support|care)"
    r"|support(?: (?:agent|team|person))?|service agent)(?: (?:from|in|at|on) (?:your|the) (?:team|company|shop|office|staff))?"
)
_WISHES = (
    r"(?:(?:can|could|may|might) (?:i|you|we) |i (?:want|need|wish|would like|'d like) (?:to )?"
    r"|i(?:'d| would) (?:like|love|prefer|rather) (?:to )?|let me |just )*"
)
_CONTACT = (
    r"(?:(?:talk|speak|chat|write)(?: (?:to|with))?|get(?: me)?|have|reach|contact"
    r"|(?:connect|transfer|forward|hand|put|pass) me (?:over |through |on )?(?:to|with))"
)
_THANKS = r"(?:(?:many |a lot of )?(?:thanks|thank you|thankyou|thx|thanx|ty|cheers)"
# Behind thanks and before a farewell people say more. What is not named here may be a request: "Thanks, I want a refund".
_KINDNESS = (
    r"(?:(?:for|you've been|you were|that was|it was|this was) (?:so |very |really |most |a |an |such a )*"
    r"(?:help|helpful|great help|big help|kind|great|patient|useful|pleasure|quick|fast|amazing|wonderful|good|nice|lovely"
    r"|helping|answering|explaining|your (?:help|time|patience|answer|reply|support|quick (?:help|answer|reply)))"
    r"(?: (?:me|us|out|today|again|so much|(?:talking|chatting|speaking)(?: (?:to|with) you)?|with (?:this|that)))*)"
)
_FOR_WHAT = (
    r"(?: (?:a lot|a bunch|so much|very much|again|for (?:your|the) (?:help|answer|info|information|support)))*)"
)

_MEANINGS: list[tuple[SmallTalk, str]] = [
    (
        SmallTalk.PERSON,
        rf"{_WISHES}(?:{_CONTACT} )?(?:a |an |the |some |your |one of your )?{_WHOM}(?: chat)?(?: please)?",
    ),
    (SmallTalk.PERSON, "我?(?:想要?|要)?(?:找(?:个|一个)?人|投诉)"),
    (SmallTalk.PERSON, r"(?:live|human) (?:chat|support|help)|(?:not a|no) (?:ro)?bot|hand ?over|escalate"),
    (
        SmallTalk.PERSON,
        "(?:我(?:想|要|需要)?|帮我|给我|能不能|能|可以|可不可以)*(?:转接?|接通?|找|联系|叫|换|要|和|跟|与)?"
        "(?:到|个|一下|一个|你们的?)?(?:人工|真人|客服|人工客服|真人客服|在线客服|人工服务|客服人员|人工坐席|工作人员)"
        "(?:客服|服务|帮忙|处理|聊聊?|说话|沟通|谈谈?)?",
    ),
    (
        SmallTalk.GREETING,
        r"(?:hiya|hi|hello|hey|hallo|howdy|greetings|good (?:morning|afternoon|evening|day)|morning|yo)++"
        r"(?: (?:there|all|everyone|everybody|team|again|hi|hello|bot|assistant))*"
        r"(?: how are you(?: doing)?(?: today)?| how(?:'s| is) it going| what's up)?"
        r"|how are you(?: doing)?(?: today)?|how(?:'s| is) it going"
        r"|(?:is )?(?:anyone|anybody|someone) (?:there|here)|are you there"
        r"|test(?:ing)?|help(?: me)?|what can you do|who are you|what's up",
    ),
    (
        SmallTalk.GREETING,
        "(?:你好|您好|哈喽|哈啰|嗨|喂|嘿|早上好|早安|上午好|中午好|下午好|晚上好|大家好|早|在不在|有人|在|你是谁|帮帮?我)++",
    ),
    (
        SmallTalk.THANKS,
        r"(?:ok|okay|great|perfect|super|cool|fine|nice|wonderful|got it|alright|all right|i see|understood"
        r"|that's (?:all|it|great|fine)|that (?:helps|helped)(?: a lot)?|much appreciated| "
        rf"|{_THANKS}{_FOR_WHAT})++"
        rf"|{_THANKS}) {_KINDNESS}|i (?:really )?appreciate (?:it|that|your help)",
    ),
    (
        SmallTalk.THANKS,
        "(?:谢谢[你您]?|多谢|谢|非常感谢|十分感谢|感谢|太好|好的?|嗯|行|收到|明白|知道|清楚|懂|没问题|ok|辛苦)++"
        "(?:你|您|大家)?",
    ),
    (
        SmallTalk.PARTING,
        r"(?:bye|goodbye|good bye|good ?night|see you(?: later| soon)?|see ya|take care|farewell"
        r"|have a (?:nice|good|great) (?:day|evening|weekend|one)|until next time| )++"
        rf"|{_KINDNESS} (?:bye|goodbye|see you later)",
    ),
    (SmallTalk.PARTING, "(?:再见|拜|晚安|回见|回头见|下次见|88)++"),
]
_PATTERNS = [(meaning, re.compile(pattern)) for meaning, pattern in _MEANINGS]
# Longer messages are about something.
MAX_CHARACTERS = 80

_WORDS: dict[SmallTalk, dict[str, str]] = {
    SmallTalk.GREETING: {"en": "Hello! How can I help?", "zh": "您好！请问有什么可以帮您？"},
    SmallTalk.THANKS: {
        "en": "You're welcome. Is there anything else I can help with?",
        "zh": "不客气！还有什么可以帮您的吗？",
    },
    SmallTalk.PARTING: {"en": "Goodbye, and thank you for writing.", "zh": "再见，感谢您的咨询！"},
    SmallTalk.PERSON: {
        "en": "A person can help you. Would you like to talk to one?",
        "zh": "可以由人工客服为您解答。要和人工客服聊聊吗？",
    },
}


def small_talk(message: str) -> SmallTalk | None:
    """What the message wants if it asks nothing of the articles, else None."""
    if len(message) > MAX_CHARACTERS:
        return None
    plain = _NO_WORDS.sub(" ", folded(message).casefold().replace("’", "'")).strip()
    if not plain:
        # A wave, a heart, a question mark.
        return SmallTalk.GREETING
    bare = _POLITE.sub("", _POLITE_ZH.sub("", plain)).strip()
    together = ("" if plain.isascii() else text.replace(" ", "") for text in (plain, bare))
    for text in (plain, bare, *together):
        for meaning, pattern in _PATTERNS:
            if text and pattern.fullmatch(text):
                return meaning
    return None


def fixed_words(talk: SmallTalk, language: str) -> str:
    """The text that answers it; nobody wrote it for this message."""
    return _WORDS[talk][language]
