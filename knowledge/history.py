"""Who changed what about an article: its versions, and what was published and archived. Inside the tenant's scope."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice

from django.db.models import Model

from helpdesk.facts.kinds import Actor, ActorKind
from knowledge.models import Article, ArticleChange, ArticleChangeKind, ArticleVersion

PAGE = 25


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One line of the history: a saved version, or a change of what customers get. `who` is empty for imports and the shell."""

    at: datetime
    who: str
    number: int | None
    change: ArticleChangeKind | None


def note_change(
    article: Article, kind: ArticleChangeKind, *, actor: Actor, version: ArticleVersion | None = None
) -> None:
    """Keep who did it, in the transaction of the change."""
    user_id = int(actor.id) if actor.kind == ActorKind.USER else None
    ArticleChange.objects.create(
        article=article, kind=kind, number=version.number if version else None, user_id=user_id
    )


def history(article: Article, *, page: int = 1) -> tuple[list[HistoryEntry], bool]:
    """A page of the article's history, the newest first, and whether there is more: two queries."""
    first, limit = (page - 1) * PAGE, page * PAGE + 1
    versions = ArticleVersion.objects.filter(article=article).select_related("author").defer("body")
    changes = ArticleChange.objects.filter(article=article).select_related("user")
    saved = (_saved(each) for each in versions.order_by("-created_at", "-number")[:limit])
    changed = (_entry(each) for each in changes.order_by("-at", "-id")[:limit])
    # What is published in the same moment as it is saved comes above it.
    rows = list(islice(merge(changed, saved, key=lambda entry: entry.at, reverse=True), first, limit))
    return rows[:PAGE], len(rows) > PAGE


def _saved(version: ArticleVersion) -> HistoryEntry:
    return HistoryEntry(version.created_at, _name(version.author), version.number, None)


def _entry(change: ArticleChange) -> HistoryEntry:
    return HistoryEntry(change.at, _name(change.user), change.number, ArticleChangeKind(change.kind))


def _name(person: Model | None) -> str:
    return str(person) if person is not None else ""
