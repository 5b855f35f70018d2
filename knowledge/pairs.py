"""An article's counterpart in the other language: linking two, and which of them is behind. Inside the tenant's scope."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import DateTimeField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from helpdesk.errors import Conflict, InvalidInput, NotFound
from helpdesk.permissions import Right
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.acting import needs
from knowledge.models import Article, ArticleStatus, ArticleVersion

# How many articles are offered to be linked.
CANDIDATES = 200


class AlreadyLinked(Conflict):
    """One article has one counterpart."""

    code = "already_linked"
    message = _("One of these articles is linked to another one already. Unlink it first.")


@dataclass(frozen=True, slots=True)
class Side:
    """One language of a pair: its newest text, and when somebody last saw to it."""

    article: Article
    latest: ArticleVersion
    seen_to_at: datetime

    @property
    def sections(self) -> int:
        """How many headings the text has."""
        return sum(line.startswith("#") for line in self.latest.body.splitlines())

    def is_behind(self, other: Side) -> bool:
        """Whether the other side's text is newer than what somebody saw to here."""
        return other.latest.created_at > self.seen_to_at


def other_language(language: str) -> str:
    """The desk's articles have two."""
    return "en" if language == "zh" else "zh"


def side_of(article: Article) -> Side:
    """The article as one side of a pair. Raises NotFound for one without a text."""
    latest = ArticleVersion.objects.filter(article=article).select_related("author").order_by("-number").first()
    if latest is None:
        raise NotFound
    return Side(article, latest, max(latest.created_at, article.reviewed_at or latest.created_at))


def counterpart_of(article: Article) -> Article | None:
    """The article in the other language, whatever its status."""
    if article.pair is None:
        return None
    others = Article.objects.select_related("category", "published_version").filter(pair=article.pair)
    found: Article | None = others.exclude(pk=article.pk).first()
    return found


def candidates(article: Article) -> list[Article]:
    """Articles that could be the counterpart: of the other language, not linked; those of the same name and category first."""
    found = Article.objects.filter(language=other_language(article.language), pair=None)
    rows = list(found.exclude(status=ArticleStatus.ARCHIVED).order_by("title", "id")[:CANDIDATES])
    return sorted(rows, key=lambda row: (row.slug != article.slug, row.category_id != article.category_id))


def with_pairs(found: QuerySet[Article]) -> QuerySet[Article]:
    """The articles with `seen_to_at`, and `other_text_at`, when the counterpart's text was saved; null without one.

    An article is behind when its counterpart's text is newer than what somebody saw to here.
    """
    texts = ArticleVersion.objects.order_by("-number").values("created_at")
    mine = Subquery(texts.filter(article=OuterRef("pk"))[:1], output_field=DateTimeField())
    theirs = texts.filter(article__pair=OuterRef("pair")).exclude(article=OuterRef("pk"))
    return found.annotate(
        seen_to_at=Greatest(mine, Coalesce("reviewed_at", mine), output_field=DateTimeField()),
        other_text_at=Subquery(theirs[:1], output_field=DateTimeField()),
    )


@needs(Right.EDIT_KNOWLEDGE)
def link(*, tenant_id: UUID, article_id: UUID, other_id: UUID) -> None:
    """Make two articles of different languages each other's counterparts; again changes nothing.

    Raises NotFound, InvalidInput for two of one language, and AlreadyLinked.
    """
    with tenant_atomic(tenant_id):
        rows = {row.pk: row for row in _locked(article_id, other_id)}
        if not {article_id, other_id} <= rows.keys():
            raise NotFound
        first, second = rows[article_id], rows[other_id]
        if first.language == second.language:
            raise InvalidInput(_("Both articles are in the same language."))
        if first.pair is not None and first.pair == second.pair:
            return
        if first.pair or second.pair:
            raise AlreadyLinked
        Article.objects.filter(pk__in=rows).update(pair=uuid.uuid4())


@needs(Right.EDIT_KNOWLEDGE)
def unlink(*, tenant_id: UUID, article_id: UUID) -> None:
    """End the article's link; the other one has none then either. Raises NotFound."""
    with tenant_atomic(tenant_id):
        found = _locked(article_id)
        if not found:
            raise NotFound
        if found[0].pair is not None:
            Article.objects.filter(pair=found[0].pair).update(pair=None)


@needs(Right.EDIT_KNOWLEDGE)
def note_reviewed(*, tenant_id: UUID, article_id: UUID) -> None:
    """Somebody has looked, and its text needs no change for what changed in the other language. Raises NotFound."""
    with tenant_atomic(tenant_id):
        if Article.objects.filter(pk=article_id).update(reviewed_at=timezone.now()) != 1:
            raise NotFound


def _locked(*ids: UUID) -> list[Article]:
    return list(Article.objects.select_for_update(of=("self",)).filter(pk__in=ids).order_by("pk"))
