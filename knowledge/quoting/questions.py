"""What of a message asks: a mail has a greeting, a story and a signature around its question. Pure functions."""

from __future__ import annotations

import re

from knowledge.folding import folded
from knowledge.sentences import split_sentences

# A message up to here is looked up as it is; a longer one is searched by its questions too.
LONG_CHARACTERS = 200
MAX_QUESTIONS = 3

_GREETING = re.compile(
    r"^(?:hi|hello|hey|dear|good (?:morning|afternoon|evening|day)|to whom it may concern)\b[^.!?,\n]{0,40}[,.!]?\s*"
    r"|^(?:你好|您好|亲爱的|尊敬的|大家好|早上好|下午好|晚上好)[^。！？，,!?;\n]{0,12}[，。！,!]?\s*",
    re.IGNORECASE,
)
_PARTING = re.compile(
    r"^(?:many |best |kind |warm )?(?:thanks|thank you|regards|wishes|cheers|sincerely|yours|looking forward"
    r"|have a (?:nice|good))\b"
    r"|^(?:谢谢|多谢|感谢|此致|敬礼|祝好|祝您|祝你|期待您的?回复)",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"[?？]\s*$"
    r"|^(?:so |and |but |also |now |well,? |then )*(?:what|when|where|why|who|whom|whose|which|how|can|could|do|does|did"
    r"|is|are|will|would|should|may|am|has|have)\b(?!\s+a (?:nice|good))"
    r"|\b(?:my question(?:s)? (?:is|are)|i (?:would like|want|need|wanted|'d like) to (?:know|ask|find out)"
    r"|i(?:'m| am| was)? wonder(?:ing)?|(?:please|could you|can you|kindly) (?:tell|let me know|explain|advise|confirm))\b"
    r"|请问|想问|想知道|请告诉|问题是|是否|能否|能不能|可不可以|有没有|怎么|如何|为什么|什么时候|多少|多久|几天|哪里|哪个|吗[。！]?$",
    re.IGNORECASE,
)
_LEAD_IN = re.compile(
    r"^.*?\b(?:my (?:only |main |other )?questions? (?:is|are)(?: as follows)?|i (?:would like|want|need|wanted) to"
    r" (?:know|ask|find out)|i(?:'m| am| was)? wonder(?:ing)?"
    r"|(?:please|could you|can you|kindly) (?:tell me|let me know|explain|advise|confirm))"
    r"[:,]?\s+(?:(?:if|whether|about|that)\s+)?(?=\S)"
    r"|^.*?(?:请问一下|请问|想问一下|想问|想知道|我的问题是|问题是)[:：，,]?",
    re.IGNORECASE,
)
# Mail programs break lines within sentences.
_WRAPPED = re.compile(r"(?<=[^\s.!?:;])\n(?=[a-z])")
_LEANS_BACK = re.compile(r"\b(?:it|its|this|these|those|they|them)\b|它|这个|那个|这些|那些", re.IGNORECASE)


def questions_in(message: str) -> tuple[str, ...]:
    """The last MAX_QUESTIONS of them."""
    return asking_sentences(message)[-MAX_QUESTIONS:]


def asking_sentences(message: str) -> tuple[str, ...]:
    """The sentences that ask, each searchable alone, in the order of the message.

    Without greeting and lead-in ("my question is"); one that points back ("does it …") takes the sentence before it along.
    """
    found: list[str] = []
    before = ""
    for sentence in _sentences(message):
        if _PARTING.search(sentence) and not sentence.endswith(("?", "？")):
            continue
        if _ASKS.search(sentence):
            asked = _LEAD_IN.sub("", sentence).strip()
            leans = before and _LEANS_BACK.search(asked) and not found
            found.append(f"{before} {asked}" if leans else asked)
        if sentence:
            before = sentence
    return tuple(each for each in found if len(each) > 3)


def asking_part(message: str) -> str:
    """What of the message is asked, for what it names: its questions, or all of it when nothing in it looks like one."""
    return " ".join(each for each in _sentences(message) if _ASKS.search(each)) or folded(message)


def _sentences(message: str) -> list[str]:
    """The sentences without greetings; a line that goes on in the next one is put together again."""
    text = _WRAPPED.sub(" ", folded(message))
    return [_GREETING.sub("", text[start:end]).strip() for start, end in split_sentences(text)]


def is_long(message: str) -> bool:
    """Whether a message may be a mail, with more in it than its question."""
    return len(message) > LONG_CHARACTERS
