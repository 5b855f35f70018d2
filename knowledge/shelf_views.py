"""The pages about categories, and about the passages of a text."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from helpdesk.errors import GlassdeskError, InvalidInput
from helpdesk.pages.page_numbers import requested_page
from helpdesk.permissions import Right
from helpdesk.users.access import DeskRequest, desk_view
from knowledge.categories import counted_categories, remove_category, rename_category
from knowledge.passage_preview import shown_passages
from knowledge.queries import article_by_id, latest_version

PAGE = 50


@require_GET
@desk_view(Right.SEE_KNOWLEDGE)
def categories(request: DeskRequest) -> HttpResponse:
    """The shelves with how many articles stand on each."""
    page = requested_page(request)
    rows = list(counted_categories()[(page - 1) * PAGE : page * PAGE + 1])
    context = {
        "rows": rows[:PAGE],
        "has_more": len(rows) > PAGE,
        "page": page,
        "may_edit": Right.EDIT_KNOWLEDGE in request.rights,
    }
    return render(request, "knowledge/categories.html", context)


@require_POST
@desk_view(Right.EDIT_KNOWLEDGE)
def rename(request: DeskRequest, category_id: UUID) -> HttpResponse:
    """Another name, or the one of another category, which then takes the articles."""
    try:
        category = rename_category(
            tenant_id=request.tenant.id, category_id=category_id, name=request.POST.get("name", "")
        )
    except InvalidInput as error:
        messages.error(request, str(error.message))
    else:
        if category.pk == category_id:
            messages.success(request, _("The category is now called “%(name)s”.") % {"name": category.name})
        else:
            messages.success(request, _("Its articles are in “%(name)s” now.") % {"name": category.name})
    return redirect("knowledge:categories", tenant_slug=request.tenant.slug)


@require_POST
@desk_view(Right.EDIT_KNOWLEDGE)
def remove(request: DeskRequest, category_id: UUID) -> HttpResponse:
    """End a category."""
    name = remove_category(tenant_id=request.tenant.id, category_id=category_id)
    messages.success(request, _("“%(name)s” is gone; its articles have no category.") % {"name": name})
    return redirect("knowledge:categories", tenant_slug=request.tenant.slug)


@require_GET
@desk_view(Right.SEE_KNOWLEDGE)
def passages(request: DeskRequest, article_id: UUID) -> HttpResponse:
    """Where each passage of the newest text begins and ends, as the search will have it once it is published."""
    article, page = article_by_id(article_id), requested_page(request)
    latest = latest_version(article)
    error = None
    try:
        found = shown_passages(latest.body)
    except GlassdeskError as refusal:
        found, error = [], refusal
    context = {
        "article": article,
        "version": latest,
        "is_published": article.status == "published" and article.published_version_id == latest.pk,
        "passages": found[(page - 1) * PAGE : page * PAGE],
        "count": len(found),
        "has_more": len(found) > page * PAGE,
        "page": page,
        "error": error,
    }
    return render(request, "knowledge/passages.html", context)
