"""What the assistant says when the articles hold no answer, in the customer's language."""

from __future__ import annotations

from collections.abc import Sequence

from knowledge.quoting.mentions import Verdict

REFUSAL = {
    "en": "I could not find an answer to that in our help articles. Would you like to talk to a person?",
    "zh": "抱歉，我在帮助文章中没有找到这个问题的答案。要和人工客服聊聊吗？",
}

_OTHERS_KNOWN = {
    "en": "Our help articles mention %(known)s, not %(missing)s. Would you like to talk to a person?",
    "zh": "我们的帮助文章提到了%(known)s，没有提到%(missing)s。要和人工客服聊聊吗？",
}
_UNKNOWN = {
    "en": "Our help articles do not mention %(missing)s. Would you like to talk to a person?",
    "zh": "我们的帮助文章没有提到%(missing)s。要和人工客服聊聊吗？",
}


def refusal(language: str, verdict: Verdict | None = None) -> str:
    """The refusal; where a code or a name is what no article knows, it says so and names those that they know."""
    missing = verdict.unknown_names if verdict and verdict.is_refusal else ()
    if verdict is None or not missing:
        return REFUSAL[language]
    sentence = _OTHERS_KNOWN if verdict.known_alternatives else _UNKNOWN
    return sentence[language] % {
        "missing": _listed(missing, language, last="or"),
        "known": _listed(verdict.known_alternatives, language, last="and"),
    }


def _listed(names: Sequence[str], language: str, *, last: str) -> str:
    """Names as a list in words."""
    if language == "zh":
        return "、".join(names)
    return f" {last} ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else ""
