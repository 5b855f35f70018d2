"""What the assistant says when the articles hold no answer, in the customer's language."""

from __future__ import annotations

REFUSAL = {
    "en": "I could not find an answer to that in our help articles. Would you like to talk to a person?",
    "zh": "抱歉，我在帮助文章中没有找到这个问题的答案。要和人工客服聊聊吗？",
}
