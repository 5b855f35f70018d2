"""What the desk's knowledge pages show. Runs inside `tenant_atomic`; a fixed number of queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django.db import models
from django.db.models import Exists, F, Max, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from knowledge.models import Article, ArticleStatus, Category, Chunk
from knowledge.pairs import with_pairs
from knowledge.queries import articles

ROWS_PER_PAGE = 50


class PairState(models.TextChoices):
    """What the other language lacks, or this one."""

    MISSING = "missing", _("No translation")
    OLDER = "older", _("Older than its translation")


@dataclass(frozen=True, slots=True)
class Filters:
    """What the list is restricted to; empty values do not restrict."""

    text: str = ""
    language: str = ""
    status: str = ""
    category: UUID | None = None
    pair: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether the list shows everything."""
        return not (self.text or self.language or self.status or self.category or self.pair)


def article_rows(filters: Filters, *, page: int = 1) -> tuple[list[Article], bool]:
    """A page of articles and whether there are more.

    Each has `is_preparing` (a passage waits for its vector), `has_changes` (a version newer than the published one), and
    what `with_pairs` adds.
    """
    found = articles(status=filters.status, language=filters.language, text=filters.text)
    if filters.category:
        found = found.filter(category_id=filters.category)
    found = with_pairs(found)
    if filters.pair == PairState.MISSING:
        found = found.filter(pair=None).exclude(status=ArticleStatus.ARCHIVED)
    elif filters.pair == PairState.OLDER:
        found = cast("QuerySet[Any]", found).filter(seen_to_at__lt=F("other_text_at"))
    first = (page - 1) * ROWS_PER_PAGE
    rows = list(with_states(found)[first : first + ROWS_PER_PAGE + 1])
    return rows[:ROWS_PER_PAGE], len(rows) > ROWS_PER_PAGE


def with_states(found: QuerySet[Article]) -> QuerySet[Article]:
    """The articles with the states that the list and the editor show."""
    waiting = Chunk.objects.filter(
        article_id=OuterRef("pk"), version_id=OuterRef("published_version_id"), embedding__isnull=True
    )
    return found.annotate(
        is_preparing=Exists(waiting),
        latest_number=Max("versions__number"),
        published_number=F("published_version__number"),
    )


def state_of(article: Article) -> str:
    """How customers' questions find the article: `searchable`, `preparing` (by its words only) or `hidden`."""
    if article.status != ArticleStatus.PUBLISHED:
        return "hidden"
    return "preparing" if getattr(article, "is_preparing", False) else "searchable"


def categories() -> list[Category]:
    """The tenant's categories by name."""
    return list(Category.objects.order_by("name"))
