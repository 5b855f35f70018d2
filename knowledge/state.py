"""Which version of a tenant's knowledge is current. Runs inside `tenant_atomic`."""

from __future__ import annotations

from functools import partial

from django.db import transaction
from django.db.models import F

from helpdesk.tenants.scope import current_tenant_id
from knowledge.cached_answers import answer_index
from knowledge.models import KnowledgeState


def note_change() -> None:
    """A search may find something else from this transaction on: the version grows, earlier answers are forgotten.

    What an answer in progress still remembers is kept under the old version, which nobody asks for any more.
    """
    if not _grow():
        KnowledgeState.objects.bulk_create([KnowledgeState()], ignore_conflicts=True)
        _grow()
    transaction.on_commit(partial(answer_index.forget_all, current_tenant_id()))


def current_state() -> KnowledgeState:
    """The tenant's state; that of a tenant without any knowledge is not stored."""
    state: KnowledgeState | None = KnowledgeState.objects.first()
    return state or KnowledgeState()


def set_similarity(similarity: dict[str, float | str | None]) -> None:
    """Keep what `calibrate_cache` found."""
    KnowledgeState.objects.bulk_create([KnowledgeState()], ignore_conflicts=True)
    KnowledgeState.objects.update(similarity=similarity)


def _grow() -> int:
    return int(KnowledgeState.objects.update(version=F("version") + 1))
