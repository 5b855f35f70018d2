"""The API's description as a page to read and try, by Swagger UI from our own server."""

from __future__ import annotations

from drf_spectacular.views import SpectacularSwaggerSplitView


class DocsView(SpectacularSwaggerSplitView):
    """Public: it says what the source says. Its script is an address of its own, since the policy forbids inline code."""

    url_name = "api:openapi"
    template_name = "api/docs.html"
