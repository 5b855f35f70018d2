"""The page on which an article stands beside its counterpart in the other language."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from helpdesk.errors import Conflict, InvalidInput
from helpdesk.permissions import Right
from helpdesk.users.access import DeskRequest, desk_view
from knowledge import desk, pairs
from knowledge.models import Article
from knowledge.queries import article_by_id
from knowledge.rendering import render_markdown


@require_GET
@desk_view(Right.SEE_KNOWLEDGE)
def languages(request: DeskRequest, article_id: UUID) -> HttpResponse:
    """Both texts side by side, and what is to be done: to write, to link, to look at again."""
    article = article_by_id(article_id)
    other = pairs.counterpart_of(article)
    sides = [pairs.side_of(each) for each in (article, other) if each is not None]
    shown = desk.with_states(Article.objects.all()).in_bulk([side.article.pk for side in sides])
    may_edit = Right.EDIT_KNOWLEDGE in request.rights
    context = {
        "article": article,
        "sides": [
            {
                "side": side,
                "article": shown[side.article.pk],
                "state": desk.state_of(shown[side.article.pk]),
                "html": render_markdown(side.latest.body),
                "is_behind": any(side.is_behind(each) for each in sides),
            }
            for side in sorted(sides, key=lambda side: side.article.language)
        ],
        "sections_differ": len({side.sections for side in sides}) > 1,
        "missing": None if other else pairs.other_language(article.language),
        "candidates": pairs.candidates(article) if may_edit and other is None else [],
        "may_edit": may_edit,
    }
    return render(request, "knowledge/languages.html", context)


@require_POST
@desk_view(Right.EDIT_KNOWLEDGE)
def link(request: DeskRequest, article_id: UUID) -> HttpResponse:
    """Link the article to the chosen one."""
    try:
        pairs.link(tenant_id=request.tenant.id, article_id=article_id, other_id=_chosen(request))
    except (InvalidInput, Conflict) as error:
        messages.error(request, str(error.message))
    else:
        messages.success(request, _("The two articles are linked."))
    return _back(request, article_id)


@require_POST
@desk_view(Right.EDIT_KNOWLEDGE)
def unlink(request: DeskRequest, article_id: UUID) -> HttpResponse:
    """End the link; both articles stay."""
    pairs.unlink(tenant_id=request.tenant.id, article_id=article_id)
    messages.success(request, _("The two articles are no longer linked."))
    return _back(request, article_id)


@require_POST
@desk_view(Right.EDIT_KNOWLEDGE)
def reviewed(request: DeskRequest, article_id: UUID) -> HttpResponse:
    """The text needs no change."""
    pairs.note_reviewed(tenant_id=request.tenant.id, article_id=article_id)
    messages.success(request, _("Marked as up to date."))
    return _back(request, article_id)


def _chosen(request: DeskRequest) -> UUID:
    try:
        return UUID(request.POST.get("other", ""))
    except ValueError:
        raise InvalidInput(_("Choose an article.")) from None


def _back(request: DeskRequest, article_id: UUID) -> HttpResponse:
    return redirect("knowledge:languages", tenant_slug=request.tenant.slug, article_id=article_id)
