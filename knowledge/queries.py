"""Reads of articles and passages. Each needs a tenant's scope, except where it takes `tenant_id`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from helpdesk.errors import NotFound
from knowledge.models import Article, ArticleStatus, ArticleVersion, Chunk

SWEEP_BATCH = 200


@dataclass(frozen=True, slots=True)
class KnowledgeCounts:
    """How much a tenant's assistant knows; `awaiting` counts passages whose vectors are still to come."""

    articles: int
    passages: int
    awaiting: int


def articles(*, status: str = "", language: str = "", text: str = "") -> QuerySet[Article]:
    """The tenant's articles, the latest change first, with their categories; empty arguments do not restrict."""
    found: QuerySet[Article] = Article.objects.select_related("category", "published_version").order_by(
        "-updated_at", "id"
    )
    if status:
        found = found.filter(status=status)
    if language:
        found = found.filter(language=language)
    if text:
        found = found.filter(Q(title__icontains=text) | Q(slug__icontains=text))
    return found


def article_by_id(article_id: UUID) -> Article:
    """One article with its published version; raises NotFound."""
    try:
        article: Article = Article.objects.select_related("category", "published_version").get(pk=article_id)
    except Article.DoesNotExist:
        raise NotFound from None
    return article


def versions_of(article: Article) -> QuerySet[ArticleVersion]:
    """The article's versions, the newest first."""
    versions: QuerySet[ArticleVersion] = ArticleVersion.objects.filter(article=article).select_related("author")
    return versions.order_by("-number")


def latest_version(article: Article) -> ArticleVersion:
    """The newest text of the article, published or not."""
    version: ArticleVersion | None = ArticleVersion.objects.filter(article=article).order_by("-number").first()
    if version is None:
        raise NotFound
    return version


def version_by_number(article: Article, number: int) -> ArticleVersion:
    """One version of the article; raises NotFound."""
    try:
        version: ArticleVersion = ArticleVersion.objects.get(article=article, number=number)
    except ArticleVersion.DoesNotExist:
        raise NotFound from None
    return version


def passages() -> QuerySet[Chunk]:
    """What customers get to read: the passages of published articles' published versions."""
    found: QuerySet[Chunk] = Chunk.objects.filter(
        article__status=ArticleStatus.PUBLISHED, article__published_version_id=F("version_id")
    )
    return found


def all_current(versions: Iterable[tuple[str, int]]) -> bool:
    """Whether each article (by id) is published in that version (by number)."""
    wanted = {(str(article), number) for article, number in versions}
    rows = Article.objects.filter(id__in=[article for article, _ in wanted], status=ArticleStatus.PUBLISHED)
    return wanted == {(str(article), number) for article, number in rows.values_list("id", "published_version__number")}


def counts() -> KnowledgeCounts:
    """Published articles and passages, and the passages without vectors."""
    numbers = passages().aggregate(
        articles=Count("article", distinct=True),
        passages=Count("id"),
        awaiting=Count("id", filter=Q(embedding__isnull=True)),
    )
    return KnowledgeCounts(**numbers)


def is_index_complete() -> bool:
    """Whether every published passage has its vectors, so that a search sees all of them."""
    return not passages().filter(embedding__isnull=True).exists()


def is_waiting_for_vectors() -> bool:
    """Whether a published passage has no vectors yet."""
    return not is_index_complete()


def has_passages_written_before(text_version: int) -> bool:
    """Whether a published passage was cut by older rules."""
    return passages().filter(text_version__lt=text_version).exists()


def articles_written_before(text_version: int, *, limit: int) -> list[Article]:
    """Published articles whose passages were cut by older rules, locked; those that somebody is changing are left out."""
    outdated = passages().filter(text_version__lt=text_version).values("article")
    found = Article.objects.select_for_update(of=("self",), skip_locked=True).select_related("published_version")
    return list(found.filter(pk__in=outdated).order_by("id")[:limit])


def versions_awaiting_vectors(*, older_than: timedelta = timedelta(0)) -> list[UUID]:
    """Published versions with a passage that has had no vector for that long, at most SWEEP_BATCH of them."""
    waiting = passages().filter(embedding__isnull=True, created_at__lte=timezone.now() - older_than)
    return list(waiting.order_by("version_id").values_list("version_id", flat=True).distinct()[:SWEEP_BATCH])
