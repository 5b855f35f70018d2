"""Periodic work on knowledge: vectors that are missing are asked for again, passages cut by older rules are cut anew."""

from __future__ import annotations

from datetime import timedelta

import structlog
from celery import shared_task
from django.core.cache import cache

from helpdesk.pending.marks import note_everybody, sweep
from helpdesk.pending.models import Kind
from helpdesk.tenants.scope import tenant_atomic
from knowledge import queries, rewriting
from knowledge.chunking.chunks import TEXT_VERSION
from knowledge.queueing import enqueue_embedding

SWEEP_EMBEDDINGS = "knowledge.sweep_embeddings"
REWRITE_PASSAGES = "knowledge.rewrite_passages"
SWEEP_AFTER = timedelta(seconds=20)
RULES_NOTED = f"passages-cut-by-rules-{TEXT_VERSION}"

log = structlog.get_logger(__name__)


@shared_task(name=SWEEP_EMBEDDINGS)
def sweep_embeddings() -> int:
    """Ask again for the vectors of passages that have waited longer than SWEEP_AFTER; returns how many versions."""
    asked = 0
    for tenant_id in sweep(Kind.EMBEDDINGS, has_open=queries.is_waiting_for_vectors):
        with tenant_atomic(tenant_id):
            waiting = queries.versions_awaiting_vectors(older_than=SWEEP_AFTER)
        asked += sum(enqueue_embedding(tenant_id=tenant_id, version_id=version_id) for version_id in waiting)
    if asked:
        log.info("embeddings_swept", versions=asked)
    return asked


@shared_task(name=REWRITE_PASSAGES)
def rewrite_passages() -> int:
    """Write passages anew that were cut by older rules, a few articles of each company; returns of how many."""
    rewritten = 0
    _note_new_rules()
    for tenant_id in sweep(Kind.REWRITING, has_open=rewriting.has_outdated_passages):
        for version_id in rewriting.rewrite_passages(tenant_id=tenant_id):
            enqueue_embedding(tenant_id=tenant_id, version_id=version_id)
            rewritten += 1
    if rewritten:
        log.info("passages_rewritten", articles=rewritten)
    return rewritten


def _note_new_rules() -> None:
    """Once after an update whose rules cut otherwise, look at every company; and again when the cache forgot that."""
    if cache.get(RULES_NOTED) is None:
        note_everybody(Kind.REWRITING)
        cache.set(RULES_NOTED, True, None)
