"""A folder of Markdown files as a tenant's articles: good files are published, bad ones are named and skipped.

An article is known by its source (the folder's name, unless told otherwise) and the file's path in it.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath
from traceback import extract_tb
from uuid import UUID

import structlog
from django.db import DataError, IntegrityError, connection
from django.db.models import Exists, OuterRef, Q

from helpdesk.errors import GlassdeskError
from helpdesk.tenants.scope import tenant_atomic
from knowledge import queries
from knowledge.domain import free_slug, new_article, publish_article, save_article
from knowledge.models import Article, ArticleStatus, ArticleVersion
from knowledge.sources.article_files import ArticleFile, BadFile, read_article
from knowledge.sources.folders import Contents
from knowledge.sources.linking import link_by_place

logger = structlog.get_logger(__name__)

# What reading, cutting or storing one file may raise and the next one need not.
_OF_ONE_FILE = (RecursionError, ValueError, LookupError, TypeError, OverflowError, OSError, DataError, IntegrityError)


class Outcome(StrEnum):
    """What became of a file. EDITED: its article was changed in the desk, and the file not since."""

    PUBLISHED = "published"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"
    EDITED = "edited"
    ARCHIVED = "archived"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class FileResult:
    """One file of the folder by its path in it; `reason` says why a bad one was skipped."""

    path: str
    outcome: Outcome
    reason: str = ""
    version_id: UUID | None = None
    number: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """What a tenant has published after an import: in all, of this source, and of it without a file any more."""

    articles: int
    of_source: int
    without_file: tuple[str, ...]


def import_folder(*, tenant_id: UUID, source: str, contents: Contents, enqueue: bool = True) -> Iterator[FileResult]:
    """Save and publish each file; yields each file's result as soon as it is known. Without `enqueue` the caller sees to
    the vectors itself.

    The same text again changes nothing, and what was changed in the desk stays until the file changes; an article that
    somebody archived stays archived. No file ends the import.
    """
    for path, reason in contents.refused:
        yield FileResult(path, Outcome.BAD, reason)
    for path, place in contents.files.items():
        try:
            file = read_article(place, path)
            with tenant_atomic(tenant_id):
                _one_import_at_a_time(tenant_id)
                result = _import_file(tenant_id, source, file, contents.files, enqueue)
            yield result
        except BadFile as error:
            yield FileResult(path, Outcome.BAD, str(error))
        except GlassdeskError as error:
            yield FileResult(path, Outcome.BAD, str(error.message).rstrip("."))
        except _OF_ONE_FILE as error:
            logger.warning("file_not_imported", error=type(error).__name__, place=_place(error))
            yield FileResult(path, Outcome.BAD, f"it cannot be read as Markdown ({type(error).__name__})")
    link_by_place(tenant_id=tenant_id, source=source)


def _place(error: BaseException) -> str:
    """Where it was raised: the text of an error may quote the file, its place does not."""
    last = extract_tb(error.__traceback__)[-1]
    return f"{PurePath(last.filename).name}:{last.lineno}"


def standing(*, tenant_id: UUID, source: str, contents: Contents) -> Standing:
    """What is published now, as the database has it."""
    with tenant_atomic(tenant_id):
        published = Article.objects.filter(status=ArticleStatus.PUBLISHED)
        paths = sorted(published.filter(source=source).exclude(path="").values_list("path", flat=True))
        return Standing(published.count(), len(paths), tuple(path for path in paths if path not in contents.files))


def _one_import_at_a_time(tenant_id: UUID) -> None:
    """Until the transaction ends: two imports of a folder at once would both make its articles."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"import of {tenant_id}"])


def _import_file(tenant_id: UUID, source: str, file: ArticleFile, present: Container[str], enqueue: bool) -> FileResult:
    article = _article_of(source, file, present)
    if article is None:
        made = new_article(
            title=file.title, language=file.language, handles=file.handles, source=source, path=file.path
        )
        version = _save(tenant_id, made, file)
        publish_article(tenant_id=tenant_id, article_id=made.pk, number=version.number, enqueue=enqueue)
        return FileResult(file.path, Outcome.PUBLISHED, version_id=version.pk, number=version.number)
    kept = _unless_changed(article, file)
    if kept is not None:
        return kept
    was_published = article.published_version_id is not None
    if article.language != file.language:
        _move_to_language(article, file)
    version = _save(tenant_id, article, file)
    if article.status == ArticleStatus.ARCHIVED:
        return FileResult(file.path, Outcome.ARCHIVED, version_id=version.pk)
    publish_article(tenant_id=tenant_id, article_id=article.pk, number=version.number, enqueue=enqueue)
    outcome = Outcome.REPLACED if was_published else Outcome.PUBLISHED
    return FileResult(file.path, outcome, version_id=version.pk, number=version.number)


def _article_of(source: str, file: ArticleFile, present: Container[str]) -> Article | None:
    """The file's article: that of its path, else one that is certainly the same and has no file."""
    articles = Article.objects.select_related("category", "published_version").select_for_update(of=("self",))
    known: Article | None = articles.filter(source=source, path=file.path).first()
    if known is not None:
        return known
    for article in articles.filter(_without_file(source, file)).order_by("created_at"):
        if article.path in present:
            continue
        latest = queries.latest_version(article)
        is_same_text = (latest.title, latest.body) == (file.title, file.body)
        if is_same_text or (article.path == "" and article.title == file.title and article.language == file.language):
            article.source, article.path = source, file.path
            article.save(update_fields=["source", "path"])
            found: Article = article
            return found
    return None


def _without_file(source: str, file: ArticleFile) -> Q:
    """Articles that the file may have brought under another path, or before paths were kept (by its bare name then)."""
    imported = Exists(ArticleVersion.objects.filter(article=OuterRef("pk"), number=1, author=None))
    before_paths = Q(imported, path="", slug__in=[file.handles[0], file.handles[0][:160]])
    return before_paths | (Q(source=source, title=file.title) & ~Q(path=""))


def _unless_changed(article: Article, file: ArticleFile) -> FileResult | None:
    """The result when the file brings nothing new; None when it does."""
    latest = queries.latest_version(article)
    category = article.category.name if article.category else ""
    has_same_text = (latest.title, latest.body) == (file.title, file.body)
    is_same = has_same_text and (category, article.language) == (file.category, file.language)
    outcome = None
    if is_same and article.status == ArticleStatus.ARCHIVED:
        outcome = Outcome.ARCHIVED
    elif is_same and article.status == ArticleStatus.PUBLISHED and article.published_version_id == latest.pk:
        outcome = Outcome.UNCHANGED
    elif not has_same_text and latest.author_id is not None and _brought_before(article, file):
        outcome = Outcome.EDITED
    return FileResult(file.path, outcome, version_id=latest.pk, number=latest.number) if outcome else None


def _brought_before(article: Article, file: ArticleFile) -> bool:
    """Whether the last text that a file gave the article is this one; people's versions have an author."""
    last = ArticleVersion.objects.filter(article=article, author=None).order_by("-number").first()
    return last is not None and (last.title, last.body) == (file.title, file.body)


def _save(tenant_id: UUID, article: Article, file: ArticleFile) -> ArticleVersion:
    return save_article(
        tenant_id=tenant_id,
        article_id=article.pk,
        title=file.title,
        body=file.body,
        language=file.language,
        category=file.category,
    )


def _move_to_language(article: Article, file: ArticleFile) -> None:
    """The file says another language than before; its passages are written anew when it is published."""
    article.slug = free_slug(file.handles, file.language)
    article.language = file.language
    article.published_version = None
    if article.status == ArticleStatus.PUBLISHED:
        article.status = ArticleStatus.DRAFT
    article.save(update_fields=["slug", "language", "published_version", "status"])
