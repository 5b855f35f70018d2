"""Published articles, for API clients."""

from __future__ import annotations

from typing import Annotated, Self
from uuid import UUID

from django.urls import path
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import Field
from rest_framework.response import Response

from helpdesk.api.pagination import PAGE_QUERY, page_response
from helpdesk.api.schema import PAGE_PARAMETERS
from helpdesk.api.shapes import Moment, OneOf, Shape, page_of
from helpdesk.api.views import ApiRequest, ApiView, requires
from helpdesk.api_keys.scopes import Scope
from helpdesk.errors import InvalidInput, NotFound
from helpdesk.tenants.models import Language
from knowledge.models import Article, ArticleStatus
from knowledge.queries import article_by_id, articles

PUBLISHED = ArticleStatus.PUBLISHED


class ArticleShape(Shape):
    """A published article without its text."""

    id: UUID
    title: str
    language: Annotated[str, OneOf(Language)]
    category: str | None
    version: int
    updated_at: Moment

    @classmethod
    def of(cls, article: Article, **more: str) -> Self:
        """The article's published version."""
        version = article.published_version
        return cls(
            id=article.id,
            title=version.title if version else article.title,
            language=article.language,
            category=article.category.name if article.category else None,
            version=version.number if version else 0,
            updated_at=article.updated_at,
            **more,
        )


class ArticleTextShape(ArticleShape):
    """A published article as customers get it."""

    body: str = Field(description="Markdown.")


class ArticlesView(ApiView):
    """`/api/v1/knowledge/articles`."""

    @extend_schema(
        operation_id="list_articles",
        summary="List published articles, the latest change first",
        parameters=[
            OpenApiParameter("language", OpenApiTypes.STR, enum=Language.values),
            OpenApiParameter("q", OpenApiTypes.STR, description="Words in the title."),
            *PAGE_PARAMETERS,
        ],
        responses=page_of(ArticleShape),
    )
    @requires(Scope.KNOWLEDGE_READ, query=("language", "q", *PAGE_QUERY))
    def get(self, request: ApiRequest) -> Response:
        """Drafts and archived articles are not listed."""
        language, text = request.query_params.get("language", ""), request.query_params.get("q", "")
        if language and language not in Language.values:
            message = _("“%(name)s” must be one of: %(values)s.")
            known = {"name": "language", "values": ", ".join(Language.values)}
            raise InvalidInput(message % known, parameter="language")
        if "\x00" in text:
            raise InvalidInput(parameter="q")
        rows = articles(status=PUBLISHED, language=language, text=text).filter(published_version__isnull=False)
        return page_response(request, rows, lambda row: ArticleShape.of(row).as_json(), order=["-updated_at", "-id"])


class ArticleView(ApiView):
    """`/api/v1/knowledge/articles/{id}`."""

    @extend_schema(operation_id="read_article", summary="Read an article", responses=ArticleTextShape)
    @requires(Scope.KNOWLEDGE_READ)
    def get(self, request: ApiRequest, article_id: UUID) -> Response:
        """The published text."""
        article = article_by_id(article_id)
        if article.status != PUBLISHED or article.published_version is None:
            raise NotFound
        return Response(ArticleTextShape.of(article, body=article.published_version.body).as_json())


app_name = "knowledge_api"
urlpatterns = [
    path("knowledge/articles", ArticlesView.as_view(), name="articles"),
    path("knowledge/articles/<uuid:article_id>", ArticleView.as_view(), name="article"),
]
