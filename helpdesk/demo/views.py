"""Pages that stand in for the websites of the demo companies. They read no database."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.http import require_safe

from helpdesk.demo.shops import shop, shops

LOCALES = {"en": "en", "zh": "zh-hans"}


def _language(request: HttpRequest) -> str:
    """The `language` parameter, else what the browser asks for."""
    asked = request.GET.get("language", "")[:2].lower()
    if asked in LOCALES:
        return asked
    return "zh" if (translation.get_language() or "").startswith("zh") else "en"


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The demo companies, and the way to the desk."""
    language = _language(request)
    with translation.override(LOCALES[language]):
        return render(request, "demo/index.html", {"shops": shops(language), "language": language})


@require_safe
def site(request: HttpRequest, tenant_slug: str) -> HttpResponse:
    """One company's shop with the widget on it; 404 for a company that is no part of the demo."""
    language = _language(request)
    found = shop(tenant_slug, language)
    if found is None:
        raise Http404
    with translation.override(LOCALES[language]):
        return render(request, "demo/site.html", {"shop": found, "language": language})
