"""Published articles with vectors of the scripted embedder."""

from __future__ import annotations

from helpdesk.tenants.models import Tenant
from inference_worker.answering.embedding import embed_version
from inference_worker.engine.scripted import ScriptedEmbedder
from knowledge.domain import publish_article, save_article
from knowledge.models import Article
from knowledge.search.retrieval import RetrievalResult, search

EMBEDDER = ScriptedEmbedder()


def publish(tenant: Tenant, title: str, body: str, *, language: str = "en", embed: bool = True) -> Article:
    """Save and publish an article; with vectors unless told otherwise."""
    version = save_article(tenant_id=tenant.id, title=title, body=body, language=language)
    article = publish_article(tenant_id=tenant.id, article_id=version.article_id)
    if embed:
        embed_version(tenant.id, version.pk, EMBEDDER)
    return article


def find(tenant: Tenant, query: str, *, by_meaning: bool = True) -> RetrievalResult:
    """Search as the inference worker does."""
    vector = EMBEDDER.embed_query(query) if by_meaning else None
    return search(tenant_id=tenant.id, query=query, query_vector=vector)


def titles(result: RetrievalResult) -> list[str]:
    """The titles found, best first."""
    return [candidate.title for candidate in result.candidates]
