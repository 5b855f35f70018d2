"""An answer that quotes an article in another language says so beside it, in the customer's language."""

from __future__ import annotations

from uuid import uuid4

import pytest

from conversations.language_notes import language_note
from conversations.models import Message, TextFormat

IN_ENGLISH, IN_CHINESE = {"language": "en"}, {"language": "zh"}


@pytest.mark.parametrize(
    ("language", "sources", "format_", "quoted", "note"),
    [
        ("en", [IN_CHINESE], TextFormat.PLAIN, "zh", "Our article on this is in Chinese:"),
        ("zh", [IN_ENGLISH, IN_ENGLISH], TextFormat.PLAIN, "en", "这篇帮助文章是英文的："),
        ("en", [IN_ENGLISH], TextFormat.PLAIN, "", ""),
        ("zh", [IN_ENGLISH, IN_CHINESE], TextFormat.PLAIN, "", ""),
        ("zh", [IN_ENGLISH], TextFormat.MARKDOWN, "", ""),
        ("zh", [], TextFormat.PLAIN, "", ""),
    ],
)
def test_the_language_of_a_quote_is_named_where_it_is_not_the_customers(
    language: str, sources: list[dict[str, str]], format_: TextFormat, quoted: str, note: str
) -> None:
    message = Message(tenant_id=uuid4(), body="…", language=language, sources=sources, format=format_)
    assert (message.quoted_language, language_note(message)) == (quoted, note)
