"""The pages about an article's past: who changed what, and what a version changed."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from helpdesk.pages.page_numbers import requested_page
from helpdesk.permissions import Right
from helpdesk.users.access import DeskRequest, desk_view
from knowledge.differences import difference
from knowledge.history import history
from knowledge.models import ArticleVersion
from knowledge.queries import article_by_id, latest_version, version_by_number

# How many versions can be chosen to compare with.
CHOICES = 100


@require_GET
@desk_view(Right.SEE_KNOWLEDGE)
def article_history(request: DeskRequest, article_id: UUID) -> HttpResponse:
    """Who saved, published and archived, the newest first."""
    article, page = article_by_id(article_id), requested_page(request)
    entries, has_more = history(article, page=page)
    context = {"article": article, "entries": entries, "has_more": has_more, "page": page}
    return render(request, "knowledge/history.html", context)


@require_GET
@desk_view(Right.SEE_KNOWLEDGE)
def changes(request: DeskRequest, article_id: UUID, number: int) -> HttpResponse:
    """What a version has that another one (`since`, by default the one before) has not. Before the first there is nothing."""
    article = article_by_id(article_id)
    version = version_by_number(article, number)
    raw = request.GET.get("since", "")
    since = int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 10 else number - 1
    earlier = version_by_number(article, since) if since else ArticleVersion(title="", body="", number=0)
    numbers = ArticleVersion.objects.filter(article=article).exclude(number=number).order_by("-number")
    context = {
        "article": article,
        "version": version,
        "earlier": earlier,
        "others": list(numbers.values_list("number", flat=True)[:CHOICES]),
        "title": difference(earlier.title, version.title),
        "body": difference(earlier.body, version.body),
        "is_latest": latest_version(article).number == version.number,
        "may_edit": Right.EDIT_KNOWLEDGE in request.rights,
    }
    return render(request, "knowledge/changes.html", context)
