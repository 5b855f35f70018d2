"""The project's addresses with the operators' pages switched on."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from helpdesk import urls
from helpdesk.operations.operators import site

urlpatterns: list[URLPattern | URLResolver] = [path("operators/", site.urls), *urls.urlpatterns]
handler400, handler500 = urls.handler400, urls.handler500
