"""A folder of Markdown files as a tenant's articles: good files are published, bad ones are named and skipped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from uuid import UUID

import frontmatter
import yaml
from django.utils.text import slugify

from helpdesk.errors import GlassdeskError
from helpdesk.tenants.models import Language
from helpdesk.tenants.scope import tenant_atomic
from knowledge import queries
from knowledge.domain import publish_article, save_article
from knowledge.models import Article, ArticleStatus
from knowledge.queries import PublishedText
from knowledge.text import detect_language

MAX_FILE_BYTES = 1_000_000
SUFFIXES = {".md", ".markdown"}


class Outcome(StrEnum):
    """What became of a file."""

    PUBLISHED = "published"
    UNCHANGED = "unchanged"
    ARCHIVED = "archived"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class FileResult:
    """One file of the folder; `reason` says why a bad one was skipped."""

    path: Path
    outcome: Outcome
    reason: str = ""
    version_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ArticleFile:
    """An article as a file describes it."""

    slug: str
    title: str
    body: str
    language: str
    category: str


class BadFile(Exception):
    """The file cannot become an article; the message says why."""


def markdown_files(folder: Path) -> list[Path]:
    """The Markdown files of the folder and its subfolders, in a stable order; hidden ones are left out."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def import_files(*, tenant_id: UUID, paths: list[Path]) -> Iterator[FileResult]:
    """Save and publish each file; yields each file's result as soon as it is known.

    An article is known by its file name and language. The same text again changes nothing; an article that somebody
    archived stays archived.
    """
    with tenant_atomic(tenant_id):
        published = queries.published_texts()
    for path in paths:
        try:
            yield _import_file(tenant_id, path, published)
        except BadFile as error:
            yield FileResult(path, Outcome.BAD, str(error))
        except GlassdeskError as error:
            yield FileResult(path, Outcome.BAD, str(error.message))


def read_article(path: Path) -> ArticleFile:
    """Parse one file. Raises BadFile."""
    metadata, body = _parse(_read_text(path))
    title = _plain(metadata.get("title"))
    if not title:
        raise BadFile("it has no title: begin the file with front matter (---, title: …, ---)")
    if not body.strip():
        raise BadFile("it has a title but no text")
    language = _plain(metadata.get("language")).lower() or detect_language(body)
    if language not in Language.values:
        raise BadFile(f"its language is {language!r}; use en or zh")
    slug = slugify(path.stem, allow_unicode=True) or slugify(title, allow_unicode=True) or "article"
    return ArticleFile(slug=slug, title=title, body=body, language=language, category=_plain(metadata.get("category")))


def _import_file(tenant_id: UUID, path: Path, published: Mapping[tuple[str, str], PublishedText]) -> FileResult:
    file = read_article(path)
    known = published.get((file.slug, file.language))
    if known is not None and (known.title, known.body, known.category) == (
        file.title,
        file.body.strip(),
        file.category,
    ):
        return FileResult(path, Outcome.UNCHANGED, version_id=known.version_id)
    with tenant_atomic(tenant_id):
        version = save_article(
            tenant_id=tenant_id,
            title=file.title,
            body=file.body,
            language=file.language,
            slug=file.slug,
            category=file.category,
        )
        article: Article = Article.objects.get(pk=version.article_id)
        if article.status == ArticleStatus.ARCHIVED:
            return FileResult(path, Outcome.ARCHIVED, version_id=version.pk)
        if article.status == ArticleStatus.PUBLISHED and article.published_version_id == version.pk:
            return FileResult(path, Outcome.UNCHANGED, version_id=version.pk)
        publish_article(tenant_id=tenant_id, article_id=article.pk, number=version.number)
    return FileResult(path, Outcome.PUBLISHED, version_id=version.pk)


def _read_text(path: Path) -> str:
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise BadFile(f"it has {size:,} bytes; the limit is {MAX_FILE_BYTES:,}")
        raw = path.read_bytes()
    except OSError as error:
        raise BadFile(f"it cannot be read ({error.strerror})") from error
    if b"\x00" in raw:
        raise BadFile("it is a binary file, not text")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadFile(f"it is not UTF-8 text (byte {error.start}); save it as UTF-8") from error


def _parse(text: str) -> tuple[dict[str, object], str]:
    try:
        post = frontmatter.loads(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 2}" if mark else ""
        raise BadFile(f"its front matter is not valid YAML{where}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise BadFile("its front matter is not a list of names and values") from error
    return dict(post.metadata), str(post.content)


def _plain(value: object) -> str:
    """A scalar of the front matter as text; anything nested counts as missing."""
    return str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
