"""Writing articles: save, publish, archive, restore, and storing what the embedding model computed."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from helpdesk.errors import Conflict, InvalidInput, NotFound
from helpdesk.tenants.models import Language
from helpdesk.tenants.scope import tenant_atomic
from knowledge import passages, queries, state, tasks
from knowledge.models import Article, ArticleStatus, ArticleVersion, Category
from knowledge.text import clean_text

MAX_TITLE_CHARACTERS = 300
MAX_BODY_CHARACTERS = 200_000


def save_article(
    *,
    tenant_id: UUID,
    title: str,
    body: str,
    language: str,
    article_id: UUID | None = None,
    slug: str = "",
    category: str = "",
    author_id: int | None = None,
    based_on: int | None = None,
) -> ArticleVersion:
    """Save a text as a new version of an article, or of a new one; nothing customers read changes.

    The article is the one of `article_id`, else the one of `slug` in that language, else a new one. The same title and
    body again return the version that is there. `based_on` is the number of the version that the author started
    from: raises Conflict when somebody saved another since. Raises InvalidInput, NotFound.
    """
    title, body = _checked_text(title, body)
    if language not in Language.values:
        raise InvalidInput(_("Articles can be in English (en) or Chinese (zh)."))
    with tenant_atomic(tenant_id):
        article = _article_for(article_id=article_id, slug=slug or _slug_of(title), language=language, title=title)
        latest = ArticleVersion.objects.filter(article=article).order_by("-number").first()
        if based_on is not None and latest is not None and latest.number != based_on:
            raise Conflict(_("Somebody saved this article meanwhile. Reload it and make your changes again."))
        article.category = _category(category)
        article.title = title
        article.updated_at = timezone.now()
        article.save(update_fields=["category", "title", "updated_at"])
        if latest is not None and (latest.title, latest.body) == (title, body):
            version: ArticleVersion = latest
            return version
        number = latest.number + 1 if latest else 1
        created: ArticleVersion = ArticleVersion.objects.create(
            article=article, number=number, title=title, body=body, author_id=author_id
        )
        return created


def publish_article(*, tenant_id: UUID, article_id: UUID, number: int | None = None, enqueue: bool = True) -> Article:
    """Give a version (the newest by default) to customers: found by its words at once, by meaning seconds later.

    The version that was published before disappears in the same moment. Publishing the published version again
    changes nothing. Without `enqueue` the caller sees to the vectors itself. Raises NotFound.
    """
    with tenant_atomic(tenant_id):
        article = _locked_article(article_id)
        version = queries.version_by_number(article, number) if number else queries.latest_version(article)
        if article.status == ArticleStatus.PUBLISHED and article.published_version_id == version.pk:
            return article
        passages.write_passages(article, version)
        article.status = ArticleStatus.PUBLISHED
        article.published_version = version
        article.updated_at = timezone.now()
        article.save(update_fields=["status", "published_version", "updated_at"])
        state.note_change()
        if enqueue:
            transaction.on_commit(partial(tasks.enqueue_embedding, tenant_id=tenant_id, version_id=version.pk))
    return article


def archive_article(*, tenant_id: UUID, article_id: UUID) -> Article:
    """Take an article away from customers; it is gone from the next search on. Its versions stay. Raises NotFound."""
    with tenant_atomic(tenant_id):
        article = _locked_article(article_id)
        if article.status != ArticleStatus.ARCHIVED:
            _set_status(article, ArticleStatus.ARCHIVED)
    return article


def restore_article(*, tenant_id: UUID, article_id: UUID) -> Article:
    """Bring an archived article back as it was: published with the same version, or a draft. Raises NotFound."""
    with tenant_atomic(tenant_id):
        article = _locked_article(article_id)
        if article.status == ArticleStatus.ARCHIVED:
            was_published = article.published_version_id is not None
            _set_status(article, ArticleStatus.PUBLISHED if was_published else ArticleStatus.DRAFT)
    return article


def restore_version(*, tenant_id: UUID, article_id: UUID, number: int, author_id: int | None = None) -> ArticleVersion:
    """Save an old version's text as the newest version (a draft until it is published). Raises NotFound."""
    with tenant_atomic(tenant_id):
        article = _locked_article(article_id)
        old = queries.version_by_number(article, number)
        return save_article(
            tenant_id=tenant_id,
            article_id=article.pk,
            title=old.title,
            body=old.body,
            language=article.language,
            category=article.category.name if article.category else "",
            author_id=author_id,
        )


def _checked_text(title: str, body: str) -> tuple[str, str]:
    title, body = " ".join(clean_text(title).split()), clean_text(body).strip()
    if not title:
        raise InvalidInput(_("The article needs a title."))
    if not body:
        raise InvalidInput(_("The article has no text."))
    if len(title) > MAX_TITLE_CHARACTERS:
        raise InvalidInput(_("The title is longer than %(limit)d characters.") % {"limit": MAX_TITLE_CHARACTERS})
    if len(body) > MAX_BODY_CHARACTERS:
        raise InvalidInput(
            _("The article is longer than %(limit)d characters; split it into several.")
            % {"limit": MAX_BODY_CHARACTERS}
        )
    return title, body


def _article_for(*, article_id: UUID | None, slug: str, language: str, title: str) -> Article:
    if article_id is not None:
        return _locked_article(article_id)
    slug = slug[:160]
    found: Article | None = Article.objects.select_for_update().filter(slug=slug, language=language).first()
    if found is not None:
        return found
    try:
        with transaction.atomic():
            created: Article = Article.objects.create(slug=slug, language=language, title=title)
    except IntegrityError:
        raise Conflict from None
    return created


def _locked_article(article_id: UUID) -> Article:
    try:
        article: Article = Article.objects.select_for_update(of=("self",)).get(pk=article_id)
    except Article.DoesNotExist:
        raise NotFound from None
    return article


def _set_status(article: Article, status: ArticleStatus) -> None:
    article.status = status
    article.updated_at = timezone.now()
    article.save(update_fields=["status", "updated_at"])
    state.note_change()


def _category(name: str) -> Category | None:
    name = " ".join(clean_text(name).split())[:120]
    if not name:
        return None
    category: Category = Category.objects.get_or_create(name=name)[0]
    return category


def _slug_of(title: str) -> str:
    return slugify(title, allow_unicode=True)[:160] or "article"
