"""All URLs. Each app has its own list; the desk's pages live under /desk/<tenant>/."""

from __future__ import annotations

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView

from helpdesk.api.errors import UnknownRouteView
from helpdesk.metrics.views import metrics
from helpdesk.operations.operators import site

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="demo:index"), name="root"),
    path("health/", include("helpdesk.health")),
    path("metrics", metrics, name="metrics"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("accounts/", include("helpdesk.users.urls")),
    path("demo/", include("helpdesk.demo.urls")),
    path("widget/", include("conversations.widget.urls")),
    path("api/v1/", include("helpdesk.api.urls")),
    path("api/v1/", include("tracing.api.conversation_urls")),
    path("api/v1/", include("conversations.api.urls")),
    path("api/v1/", include("knowledge.api")),
    path("api/v1/", include("batches.api.urls")),
    path("api/v1/", include("tracing.api.urls")),
    re_path(r"^api(?:/|$)", UnknownRouteView.as_view()),
    re_path(r"^v1(?:/|$)", include("openai_api.urls")),
    path("desk/", include("conversations.urls")),
    path("desk/", include("knowledge.urls")),
    path("desk/", include("tracing.urls")),
    path("desk/", include("helpdesk.operations.urls")),
    path("desk/", include("helpdesk.api_keys.urls")),
    path("desk/", include("helpdesk.users.people_urls")),
    path("desk/", include("batches.urls")),
    path("desk/", include("reviews.urls")),
]

if settings.OPERATORS:
    urlpatterns.append(path("operators/", site.urls))

handler400 = "helpdesk.api.errors.bad_request"
handler500 = "helpdesk.api.errors.server_error"
