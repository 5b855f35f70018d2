"""The line that says in which language an article is that an answer quotes, where it is not the customer's.

It is no part of the answer: the body stays what the article says, word for word, and what was generated and checked.
"""

from __future__ import annotations

from conversations.models import Message
from helpdesk.tenants.models import Language

# In the customer's language, by that of the article.
_NOTES = {
    (Language.ENGLISH, Language.CHINESE): "Our article on this is in Chinese:",
    (Language.CHINESE, Language.ENGLISH): "这篇帮助文章是英文的：",
}


def language_note(message: Message) -> str:
    """What to show before the message's body; "" where it is in the customer's language."""
    quoted = message.quoted_language
    return _NOTES[Language(message.language), Language(quoted)] if quoted else ""
