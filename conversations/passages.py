"""The passage behind a source, as it was when the assistant quoted it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from conversations.models import Message
from helpdesk.errors import NotFound
from knowledge.models import Article, ArticleStatus

SHOWN_FIELDS = ("title", "heading", "language", "version", "updated_at", "quote")


def describe_passage(visitor_id: UUID, chunk_id: UUID) -> dict[str, Any]:
    """A passage that was cited to this visitor; NotFound for every other one. Runs inside `tenant_atomic`."""
    cited = Message.objects.filter(
        conversation__visitor_id=visitor_id, sources__contains=[{"chunk": str(chunk_id)}]
    ).order_by("-created_at")
    message = cited.first()
    if message is None:
        raise NotFound
    source = next(source for source in message.sources if source["chunk"] == str(chunk_id))
    text, quote = source["passage"], source["quote"]
    start = max(text.find(quote), 0)
    return {
        **{name: source[name] for name in SHOWN_FIELDS},
        "text": text,
        "quote_start": start,
        "quote_end": start + len(quote) if quote in text else start,
        "current": _is_current(source),
    }


def _is_current(source: dict[str, Any]) -> bool:
    return Article.objects.filter(
        id=source["article"], status=ArticleStatus.PUBLISHED, published_version__number=source["version"]
    ).exists()
