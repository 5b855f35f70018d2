"""Passages that older rules cut are cut again, a few articles at a time, while the desk goes on answering."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from helpdesk.tenants.scope import tenant_atomic
from knowledge import passages, queries, state
from knowledge.chunking.chunks import TEXT_VERSION
from knowledge.errors import CannotRead
from knowledge.models import Article, ArticleVersion, Chunk

# Until an article has its vectors again it is found by its words only: so few of a company's at a time.
ARTICLES_AT_ONCE = 10


def rewrite_passages(*, tenant_id: UUID) -> list[UUID]:
    """Write passages of older rules anew; returns the versions that wait for vectors now, none while others still do."""
    with tenant_atomic(tenant_id):
        if not queries.is_index_complete():
            return []
        rewritten = []
        for article in queries.articles_written_before(TEXT_VERSION, limit=ARTICLES_AT_ONCE):
            if article.published_version is not None and _rewrite(article, article.published_version):
                rewritten.append(article.published_version.pk)
        if rewritten:
            state.note_change()
        return rewritten


def has_outdated_passages() -> bool:
    """Whether the tenant in scope has published passages of older rules."""
    return queries.has_passages_written_before(TEXT_VERSION)


def _rewrite(article: Article, version: ArticleVersion) -> bool:
    """Whether the passages are new; those of a text that the new rules cannot cut stay, and are not tried again."""
    try:
        with transaction.atomic():
            passages.write_passages(article, version)
    except CannotRead:
        Chunk.objects.filter(article=article).update(text_version=TEXT_VERSION)
        return False
    return True
