"""The way to a company's own sign-in and back: allauth's pages, limited, and a page of ours for a provider that is away."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from allauth.socialaccount.providers.openid_connect import views as allauth_views
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe
from requests import RequestException

from helpdesk.errors import TooManyRequests
from helpdesk.users.attempts import count_way
from helpdesk.users.company_sign_in import provider_name

AWAY = 503

logger = structlog.get_logger(__name__)


@require_safe
def begin(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Off to the provider. Nothing that somebody wrote into a link is passed on: allauth would take scopes and more from it."""
    request.GET = QueryDict()
    return _limited(request, provider_id, allauth_views.login)


@require_safe
def end(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Back with the provider's answer."""
    return _limited(request, provider_id, allauth_views.callback)


def _limited(request: HttpRequest, provider_id: str, page: Callable[..., HttpResponse]) -> HttpResponse:
    """Each of these pages asks the provider something, for strangers too."""
    if provider_name(provider_id) is None:
        raise Http404
    try:
        if count_way(request) is None:
            return _trouble(request, TooManyRequests(retry_after=60), TooManyRequests.status)
        return page(request, provider_id)
    except ValidationError as error:
        return _trouble(request, {"message": error.messages[0]}, AWAY)
    except RequestException as error:
        logger.warning("company_sign_in_away", error=type(error).__name__)
        return _trouble(request, None, AWAY)


def _trouble(request: HttpRequest, error: object, status: int) -> HttpResponse:
    return render(request, "account/company_trouble.html", {"error": error}, status=status)
