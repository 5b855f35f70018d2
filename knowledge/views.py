"""The knowledge pages: list, editor, preview, versions, and what changes what customers get."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from helpdesk.errors import Conflict, InvalidInput, NotFound
from helpdesk.facts.kinds import user_actor
from helpdesk.pages.page_numbers import requested_page
from helpdesk.permissions import Right
from helpdesk.tenants.models import Language
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.access import DeskRequest, desk_view
from knowledge import desk, domain, pairs
from knowledge.forms import ArticleForm, FilterForm
from knowledge.models import Article, ArticleVersion
from knowledge.queries import article_by_id, latest_version, version_by_number, versions_of
from knowledge.rendering import render_markdown

# Beside an article; the others are in its history.
VERSIONS_SHOWN = 8


@require_GET
@desk_view(Right.SEE_KNOWLEDGE)
def article_list(request: DeskRequest) -> HttpResponse:
    """The tenant's articles."""
    form = FilterForm(request.GET)
    form.is_valid()
    asked = form.cleaned_data
    filters = desk.Filters(
        text=asked.get("q", ""),
        language=asked.get("language", ""),
        status=asked.get("status", ""),
        category=asked.get("category"),
        pair=asked.get("pair", ""),
    )
    page = requested_page(request)
    rows, has_more = desk.article_rows(filters, page=page)
    context = {
        "form": form,
        "filters": filters,
        "rows": [(article, desk.state_of(article)) for article in rows],
        "has_more": has_more,
        "page": page,
        "categories": desk.categories(),
    }
    return render(request, "knowledge/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@desk_view(Right.EDIT_KNOWLEDGE)
def new(request: DeskRequest) -> HttpResponse:
    """Write an article."""
    beside = _beside(request)
    if request.method != "POST":
        language = Language.CHINESE if request.LANGUAGE_CODE.startswith("zh") else Language.ENGLISH
        initial: dict[str, Any] = {"language": language, "based_on": 0}
        if beside is not None:
            initial["language"] = pairs.other_language(beside.language)
            initial["category"] = beside.category.name if beside.category else ""
        return _editor(request, ArticleForm(initial=initial), beside=beside)
    form = ArticleForm(request.POST)
    saved = _save(request, form, None) if form.is_valid() else None
    if saved is None:
        return _editor(request, form, status=_status_of(form), beside=beside)
    if beside is not None and beside.language != saved.article.language:
        pairs.link(tenant_id=request.tenant.id, article_id=saved.article_id, other_id=beside.pk)
    return _after_saving(request, saved)


def _beside(request: DeskRequest) -> Article | None:
    """The article that the new one is to be the counterpart of; one that has a counterpart takes no other."""
    try:
        beside = article_by_id(UUID(request.GET.get("beside", "")))
    except (ValueError, NotFound):
        return None
    return beside if beside.pair is None else None


def edit(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    """Read an article, or save it; only saving needs the right to edit."""
    if request.method == "POST":
        return _save_existing(request, **kwargs)
    if request.method in {"GET", "HEAD"}:
        return _show_existing(request, **kwargs)
    return HttpResponseNotAllowed(["GET", "HEAD", "POST"])


@desk_view(Right.SEE_KNOWLEDGE)
def _show_existing(request: DeskRequest, article_id: UUID) -> HttpResponse:
    article = article_by_id(article_id)
    latest = latest_version(article)
    initial = {
        "title": latest.title,
        "language": article.language,
        "category": article.category.name if article.category else "",
        "body": latest.body,
        "based_on": latest.number,
    }
    return _editor(request, ArticleForm(initial=initial, is_new=False), article=article)


@desk_view(Right.EDIT_KNOWLEDGE)
def _save_existing(request: DeskRequest, article_id: UUID) -> HttpResponse:
    article = article_by_id(article_id)
    form = ArticleForm(request.POST, initial={"language": article.language}, is_new=False)
    saved = _save(request, form, article) if form.is_valid() else None
    if saved is None:
        return _editor(request, form, article=article, status=_status_of(form))
    return _after_saving(request, saved)


@require_POST
@desk_view(Right.EDIT_KNOWLEDGE)
def preview(request: DeskRequest) -> HttpResponse:
    """The text as customers' sources are rendered at the desk; too long a text gets a sentence instead."""
    body = request.POST.get("body", "")
    is_too_long = len(body) > domain.MAX_BODY_CHARACTERS
    context = {
        "html": "" if is_too_long else render_markdown(body),
        "too_long_by": len(body) - domain.MAX_BODY_CHARACTERS if is_too_long else 0,
    }
    return render(request, "knowledge/_preview.html", context)


@require_POST
@desk_view(Right.EDIT_KNOWLEDGE)
def publish(request: DeskRequest, article_id: UUID) -> HttpResponse:
    """Give the newest text, or the named version, to customers."""
    raw = request.POST.get("number", "")
    number = int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 10 else None
    try:
        article = domain.publish_article(
            tenant_id=request.tenant.id, article_id=article_id, number=number, actor=user_actor(request.user)
        )
    except InvalidInput as error:
        messages.error(request, str(error.message))
    else:
        messages.success(request, _("“%(title)s” is published.") % {"title": article.title})
    return redirect("knowledge:edit", tenant_slug=request.tenant.slug, article_id=article_id)


@require_POST
@desk_view(Right.EDIT_KNOWLEDGE)
def archive(request: DeskRequest, article_id: UUID) -> HttpResponse:
    """Take the article away from customers."""
    article = domain.archive_article(tenant_id=request.tenant.id, article_id=article_id, actor=user_actor(request.user))
    messages.success(request, _("“%(title)s” is archived. The AI no longer uses it.") % {"title": article.title})
    return redirect("knowledge:edit", tenant_slug=request.tenant.slug, article_id=article_id)


@require_POST
@desk_view(Right.EDIT_KNOWLEDGE)
def restore(request: DeskRequest, article_id: UUID) -> HttpResponse:
    """Bring an archived article back as it was, or an old version's text as the newest one."""
    raw = request.POST.get("number", "")
    if raw.isascii() and raw.isdigit() and len(raw) < 10:
        restored = domain.restore_version(
            tenant_id=request.tenant.id, article_id=article_id, number=int(raw), author_id=request.user.pk
        )
        messages.success(request, _("Restored as version %(number)d.") % {"number": restored.number})
    else:
        article = domain.restore_article(
            tenant_id=request.tenant.id, article_id=article_id, actor=user_actor(request.user)
        )
        messages.success(request, _("“%(title)s” is no longer archived.") % {"title": article.title})
    return redirect("knowledge:edit", tenant_slug=request.tenant.slug, article_id=article_id)


@require_GET
@desk_view(Right.SEE_KNOWLEDGE)
def version(request: DeskRequest, article_id: UUID, number: int) -> HttpResponse:
    """One saved text of an article as it was."""
    article = article_by_id(article_id)
    found = version_by_number(article, number)
    context = _versions_context(request, article) | {"version": found, "html": render_markdown(found.body)}
    return render(request, "knowledge/version.html", context)


def _save(request: DeskRequest, form: ArticleForm, article: Article | None) -> ArticleVersion | None:
    """The version, saved and, if asked, published; None when either failed and neither was done: the form says why."""
    data = form.cleaned_data
    try:
        with tenant_atomic(request.tenant.id):
            saved = domain.save_article(
                tenant_id=request.tenant.id,
                title=data["title"],
                body=data["body"],
                language=article.language if article else data["language"],
                article_id=article.id if article else None,
                category=data["category"],
                author_id=request.user.pk,
                based_on=data["based_on"] if article else 0,
            )
            if _wants_to_publish(request):
                domain.publish_article(
                    tenant_id=request.tenant.id,
                    article_id=saved.article_id,
                    number=saved.number,
                    actor=user_actor(request.user),
                )
            return saved
    except InvalidInput as error:
        form.add_error("body", str(error.message))
    except Conflict:
        _explain_conflict(form, article)
    return None


def _explain_conflict(form: ArticleForm, article: Article | None) -> None:
    """Say who saved what; sending the form again then puts the kept text on top of it."""
    if article is None:
        form.add_error(
            "title", _("There is already an article with this title. Open that one, or choose another title.")
        )
        return
    newest = versions_of(article).first()
    if newest is None:
        return
    form.add_error(
        None,
        _(
            "%(name)s saved version %(number)d of this article while you were writing. Your text is kept below. "
            "Check that version first; if you save again, yours becomes the newest."
        )
        % {"name": newest.author or _("Someone"), "number": newest.number},
    )
    typed = cast(QueryDict, form.data).copy()
    typed["based_on"] = str(newest.number)
    form.data = typed


def _status_of(form: ArticleForm) -> int:
    return Conflict.status if form.is_bound and form.has_error("__all__") else InvalidInput.status


def _wants_to_publish(request: DeskRequest) -> bool:
    return request.POST.get("action") == "publish"


def _after_saving(request: DeskRequest, saved: ArticleVersion) -> HttpResponse:
    if _wants_to_publish(request):
        messages.success(request, _("Version %(number)d is published.") % {"number": saved.number})
    else:
        messages.success(request, _("Version %(number)d is saved.") % {"number": saved.number})
    return redirect("knowledge:edit", tenant_slug=request.tenant.slug, article_id=saved.article_id)


def _editor(
    request: DeskRequest,
    form: ArticleForm,
    *,
    article: Article | None = None,
    status: int = 200,
    beside: Article | None = None,
) -> HttpResponse:
    context: dict[str, Any] = {
        "beside": beside,
        "beside_html": render_markdown(latest_version(beside).body) if beside else "",
        "form": form,
        "categories": desk.categories(),
        "may_edit": Right.EDIT_KNOWLEDGE in request.rights,
        "html": render_markdown(str(form["body"].value() or "")[: domain.MAX_BODY_CHARACTERS]),
    }
    if article is not None:
        context |= _versions_context(request, article)
    return render(request, "knowledge/editor.html", context, status=status)


def _versions_context(request: DeskRequest, article: Article) -> dict[str, Any]:
    shown = desk.with_states(Article.objects.select_related("category", "published_version")).get(pk=article.pk)
    return {
        "article": shown,
        "state": desk.state_of(shown),
        "versions": list(versions_of(article)[:VERSIONS_SHOWN]),
        "may_edit": Right.EDIT_KNOWLEDGE in request.rights,
    }
