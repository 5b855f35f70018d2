"""Writing articles: save, publish, archive, restore, and storing what the embedding model computed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import chain, count
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from helpdesk.errors import Conflict, InvalidInput, NotFound
from helpdesk.facts.kinds import SYSTEM, Actor, FactKind
from helpdesk.facts.recording import record
from helpdesk.pending.marks import note
from helpdesk.pending.models import Kind
from helpdesk.permissions import Right
from helpdesk.tenants.models import Language
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.acting import needs
from knowledge import passages, queries, state
from knowledge.errors import NothingToQuote
from knowledge.history import note_change
from knowledge.models import Article, ArticleChangeKind, ArticleStatus, ArticleVersion, Category
from knowledge.queueing import enqueue_embedding
from knowledge.text import clean_text

MAX_TITLE_CHARACTERS = 300
MAX_BODY_CHARACTERS = 200_000
MAX_SLUG = 160


@needs(Right.EDIT_KNOWLEDGE)
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

    The article is the one of `article_id`, else the one of `slug` in that language, else the one of exactly that title
    in it, else a new one. The same title and body again return the version that is there. `based_on` is the number of
    the version that the author started from: raises Conflict when somebody saved another since. Raises InvalidInput,
    NotFound.
    """
    title, body = checked_text(title, body)
    if language not in Language.values:
        raise InvalidInput(_("Articles can be in English (en) or Chinese (zh)."))
    with tenant_atomic(tenant_id):
        article = _article_for(article_id=article_id, slug=slug[:MAX_SLUG], language=language, title=title)
        latest = ArticleVersion.objects.filter(article=article).order_by("-number").first()
        if based_on is not None and latest is not None and latest.number != based_on:
            raise Conflict(_("Someone else just saved this article. Reload it and make your changes again."))
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


@needs(Right.EDIT_KNOWLEDGE)
def publish_article(
    *, tenant_id: UUID, article_id: UUID, number: int | None = None, actor: Actor = SYSTEM, enqueue: bool = True
) -> Article:
    """Give a version (the newest by default) to customers: found by its words at once, by meaning seconds later.

    The version that was published before disappears in the same moment. Publishing the published version again
    changes nothing. Without `enqueue` the caller sees to the vectors itself. Raises NotFound, and CannotRead or
    NothingToQuote for a text that no search could find; then everything is as it was.
    """
    with tenant_atomic(tenant_id):
        article = _locked_article(article_id)
        version = queries.version_by_number(article, number) if number else queries.latest_version(article)
        if article.status == ArticleStatus.PUBLISHED and article.published_version_id == version.pk:
            return article
        if not passages.write_passages(article, version):
            raise NothingToQuote
        article.status = ArticleStatus.PUBLISHED
        article.published_version = version
        article.updated_at = timezone.now()
        article.save(update_fields=["status", "published_version", "updated_at"])
        state.note_change()
        note_change(article, ArticleChangeKind.PUBLISHED, actor=actor, version=version)
        record(FactKind.ARTICLE_PUBLISHED, subject_id=article.pk, actor=actor, version=version.number)
        if enqueue:
            transaction.on_commit(partial(enqueue_embedding, tenant_id=tenant_id, version_id=version.pk))
    return article


@needs(Right.EDIT_KNOWLEDGE)
def archive_article(*, tenant_id: UUID, article_id: UUID, actor: Actor = SYSTEM) -> Article:
    """Take an article away from customers; it is gone from the next search on. Its versions stay. Raises NotFound."""
    with tenant_atomic(tenant_id):
        article = _locked_article(article_id)
        if article.status != ArticleStatus.ARCHIVED:
            _set_status(article, ArticleStatus.ARCHIVED)
            note_change(article, ArticleChangeKind.ARCHIVED, actor=actor)
            record(FactKind.ARTICLE_ARCHIVED, subject_id=article.pk, actor=actor)
    return article


@needs(Right.EDIT_KNOWLEDGE)
def restore_article(*, tenant_id: UUID, article_id: UUID, actor: Actor = SYSTEM) -> Article:
    """Bring an archived article back as it was: published with the same version, or a draft. Raises NotFound."""
    with tenant_atomic(tenant_id):
        article = _locked_article(article_id)
        if article.status == ArticleStatus.ARCHIVED:
            was_published = article.published_version_id is not None
            _set_status(article, ArticleStatus.PUBLISHED if was_published else ArticleStatus.DRAFT)
            note_change(article, ArticleChangeKind.RESTORED, actor=actor)
            record(FactKind.ARTICLE_RESTORED, subject_id=article.pk, actor=actor, status=str(article.status))
            # Its passages may be without vectors, or of older rules.
            note(Kind.EMBEDDINGS)
            note(Kind.REWRITING)
    return article


@needs(Right.EDIT_KNOWLEDGE)
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


def checked_text(title: str, body: str) -> tuple[str, str]:
    """Title and body as they are stored; raises InvalidInput for what no article may have."""
    title, body = " ".join(clean_text(title).split()), clean_text(body).strip()
    if not title:
        raise InvalidInput(_("Add a title."))
    if not body:
        raise InvalidInput(_("Add some text."))
    if len(title) > MAX_TITLE_CHARACTERS:
        raise InvalidInput(_("The title can have up to %(limit)d characters.") % {"limit": MAX_TITLE_CHARACTERS})
    if len(body) > MAX_BODY_CHARACTERS:
        raise InvalidInput(
            _("An article can have up to %(limit)d characters. Split it into several.") % {"limit": MAX_BODY_CHARACTERS}
        )
    return title, body


def new_article(*, title: str, language: str, handles: Sequence[str] = (), **place: str) -> Article:
    """An article without a version yet; `place` is the source and path of a file. Inside `tenant_atomic`.

    Its slug is the first of the handles (by default the title's words) that no article of the language has, else the
    last one with a number: a slug is for people, and never says which article is meant. Raises Conflict when another
    one takes it in the same moment.
    """
    wanted = [handle[:MAX_SLUG] for handle in handles] or [_slug_of(title)]
    try:
        with transaction.atomic():
            created: Article = Article.objects.create(
                slug=free_slug(wanted, language), language=language, title=title, **place
            )
    except IntegrityError:
        raise Conflict from None
    return created


def free_slug(wanted: Sequence[str], language: str) -> str:
    """The first of the slugs that no article of the language has, else the last one with a number."""
    base = wanted[-1][: MAX_SLUG - 7]
    taken = set(
        Article.objects.filter(Q(slug__in=wanted) | Q(slug__startswith=base), language=language).values_list(
            "slug", flat=True
        )
    )
    numbered = (f"{base}-{number}" for number in count(2))
    return next(slug for slug in chain(wanted, numbered) if slug not in taken)


def _article_for(*, article_id: UUID | None, slug: str, language: str, title: str) -> Article:
    if article_id is not None:
        return _locked_article(article_id)
    same = {"slug": slug} if slug else {"title": title}
    candidates = Article.objects.select_for_update(of=("self",)).filter(language=language, **same)
    found: Article | None = candidates.order_by("created_at").first()
    return found or new_article(title=title, language=language, handles=[slug] if slug else ())


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
    return slugify(title, allow_unicode=True)[:MAX_SLUG] or "article"
