"""The shelves of articles: renaming, joining and removing them. Reads run inside the tenant's scope."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from helpdesk.errors import InvalidInput, NotFound
from helpdesk.permissions import Right
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.acting import needs
from knowledge.models import Article, ArticleStatus, Category
from knowledge.text import clean_text

MAX_NAME = 120


def counted_categories() -> QuerySet[Category]:
    """By name, with `total` articles and how many of them are `published`."""
    found: QuerySet[Category] = Category.objects.annotate(
        total=Count("articles"),
        published=Count("articles", filter=Q(articles__status=ArticleStatus.PUBLISHED)),
    )
    return found.order_by("name", "id")


@needs(Right.EDIT_KNOWLEDGE)
def rename_category(*, tenant_id: UUID, category_id: UUID, name: str) -> Category:
    """Give a category another name; with the name of another one, its articles go there and it ends.

    Raises NotFound, and InvalidInput for no name.
    """
    name = " ".join(clean_text(name).split())
    if not 1 <= len(name) <= MAX_NAME:
        raise InvalidInput(_("A category's name has 1 to %(limit)d characters.") % {"limit": MAX_NAME})
    with tenant_atomic(tenant_id):
        category = _locked(category_id)
        there: Category | None = Category.objects.filter(name=name).exclude(pk=category.pk).first()
        if there is not None:
            Article.objects.filter(category=category).update(category=there)
            category.delete()
            return there
        category.name = name
        category.save(update_fields=["name"])
        return category


@needs(Right.EDIT_KNOWLEDGE)
def remove_category(*, tenant_id: UUID, category_id: UUID) -> str:
    """End a category; its articles stay, without one. Its name. Raises NotFound."""
    with tenant_atomic(tenant_id):
        category = _locked(category_id)
        category.delete()
        return category.name


def _locked(category_id: UUID) -> Category:
    found: Category | None = Category.objects.select_for_update().filter(pk=category_id).first()
    if found is None:
        raise NotFound
    return found
