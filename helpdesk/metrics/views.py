"""`/metrics` of the web process."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.exposition import choose_encoder

from helpdesk.errors import Forbidden
from helpdesk.metrics.access import may_scrape
from helpdesk.metrics.collectors import DeskCollector

# What is asked at a scrape is asked once: workers import this module too, and serve REGISTRY alone.
WEB = CollectorRegistry()
WEB.register(REGISTRY)
WEB.register(DeskCollector())


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """All figures of this process, in the format that the scraper asks for."""
    if not may_scrape(
        remote=request.META.get("REMOTE_ADDR", ""),
        headers=request.META,
        authorization=request.headers.get("Authorization", ""),
        token=settings.METRICS_TOKEN,
    ):
        raise Forbidden(_("Metrics can be read from this machine, or with the token in GLASSDESK_METRICS_TOKEN."))
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(WEB), content_type=content_type)
