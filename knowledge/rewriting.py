"""Passages that older rules cut are cut again, a few articles at a time, while the desk goes on answering."""

from __future__ import annotations

from uuid import UUID

from helpdesk.tenants.scope import tenant_atomic
from knowledge import passages, queries, state
from knowledge.chunking import TEXT_VERSION

# Until an article has its vectors again it is found by its words only: so few of a company's at a time.
ARTICLES_AT_ONCE = 10


def rewrite_passages(*, tenant_id: UUID) -> list[UUID]:
    """Write passages of older rules anew; returns the versions that wait for vectors now, none while others still do."""
    with tenant_atomic(tenant_id):
        if not queries.is_index_complete():
            return []
        rewritten = []
        for article in queries.articles_written_before(TEXT_VERSION, limit=ARTICLES_AT_ONCE):
            if article.published_version is not None:
                passages.write_passages(article, article.published_version)
                rewritten.append(article.published_version.pk)
        if rewritten:
            state.note_change()
        return rewritten
