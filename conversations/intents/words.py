"""What answers an intent: the same words each time, written by people."""

from __future__ import annotations

from conversations.intents.kinds import Intent

_WORDS: dict[Intent, dict[str, str]] = {
    Intent.GREETING: {"en": "Hello! How can I help?", "zh": "您好！请问有什么可以帮您？"},
    Intent.THANKS: {
        "en": "You're welcome. Is there anything else I can help with?",
        "zh": "不客气！还有什么可以帮您的吗？",
    },
    Intent.PARTING: {"en": "Goodbye, and thank you for writing.", "zh": "再见，感谢您的咨询！"},
    Intent.PERSON: {
        "en": "A person can help you. Would you like to talk to one?",
        "zh": "可以由人工客服为您解答。要和人工客服聊聊吗？",
    },
    Intent.ROBOT: {
        "en": "I am a computer program, not a person: I answer from our help articles. If you would rather talk to a "
        "person, just say so.",
        "zh": "我是自动客服程序，不是真人，会根据帮助文章回答问题。如果您想和人工客服聊聊，直接告诉我就可以。",
    },
    Intent.IDENTITY: {
        "en": "I am the automatic assistant of this help desk. Ask me anything that our help articles may answer, in your "
        "own words. What they do not tell, a person can: just say so.",
        "zh": "我是本客服中心的智能助手，可以根据帮助文章回答您的问题，您直接问就好。文章里没有的，可以转人工客服。",
    },
    Intent.COMPLAINT: {
        "en": "I am sorry about this; I understand that you are upset. A person should look at it with you. Would you like "
        "to talk to one?",
        "zh": "非常抱歉给您带来不好的体验，您的心情我们理解。这件事最好由人工客服来处理。要和人工客服聊聊吗？",
    },
    Intent.ORDER: {
        "en": "I cannot look into orders myself. A person can see where yours is; please have your order number at hand. "
        "Would you like to talk to one?",
        "zh": "我无法查询具体的订单，人工客服可以帮您查看进度，请准备好订单号。要和人工客服聊聊吗？",
    },
}
_HANDING_OVER = {
    "en": "I have asked a person to take over. They can read what you wrote here, and will answer you in this conversation.",
    "zh": "已为您转人工客服。客服人员能看到以上对话，会在这里回复您。",
}
_PERSON_HERE = {
    "en": "You can also talk to a person right here. Would you like to?",
    "zh": "您也可以直接在这里和人工客服聊聊，需要吗？",
}


def fixed_words(intent: Intent, language: str) -> str:
    """The text that answers it; nobody wrote it for this message."""
    return _WORDS[intent][language]


def handing_over_words(language: str) -> str:
    """What a customer reads who now waits for a person."""
    return _HANDING_OVER[language]


def person_here_words(language: str) -> str:
    """What follows the articles' answer to somebody who asks for a way to a person."""
    return _PERSON_HERE[language]
