"""The desk's pages about knowledge."""

from __future__ import annotations

from django.urls import path

from knowledge import history_views, pair_views, shelf_views, views

app_name = "knowledge"
urlpatterns = [
    path("<slug:tenant_slug>/knowledge/", views.article_list, name="list"),
    path("<slug:tenant_slug>/knowledge/new/", views.new, name="new"),
    path("<slug:tenant_slug>/knowledge/preview/", views.preview, name="preview"),
    path("<slug:tenant_slug>/knowledge/categories/", shelf_views.categories, name="categories"),
    path(
        "<slug:tenant_slug>/knowledge/categories/<uuid:category_id>/rename/", shelf_views.rename, name="rename_category"
    ),
    path(
        "<slug:tenant_slug>/knowledge/categories/<uuid:category_id>/remove/", shelf_views.remove, name="remove_category"
    ),
    path("<slug:tenant_slug>/knowledge/<uuid:article_id>/passages/", shelf_views.passages, name="passages"),
    path("<slug:tenant_slug>/knowledge/<uuid:article_id>/", views.edit, name="edit"),
    path("<slug:tenant_slug>/knowledge/<uuid:article_id>/publish/", views.publish, name="publish"),
    path("<slug:tenant_slug>/knowledge/<uuid:article_id>/archive/", views.archive, name="archive"),
    path("<slug:tenant_slug>/knowledge/<uuid:article_id>/restore/", views.restore, name="restore"),
    path("<slug:tenant_slug>/knowledge/<uuid:article_id>/versions/<int:number>/", views.version, name="version"),
    path("<slug:tenant_slug>/knowledge/<uuid:article_id>/languages/", pair_views.languages, name="languages"),
    path("<slug:tenant_slug>/knowledge/<uuid:article_id>/languages/link/", pair_views.link, name="link"),
    path("<slug:tenant_slug>/knowledge/<uuid:article_id>/languages/unlink/", pair_views.unlink, name="unlink"),
    path("<slug:tenant_slug>/knowledge/<uuid:article_id>/languages/reviewed/", pair_views.reviewed, name="reviewed"),
    path("<slug:tenant_slug>/knowledge/<uuid:article_id>/history/", history_views.article_history, name="history"),
    path(
        "<slug:tenant_slug>/knowledge/<uuid:article_id>/versions/<int:number>/changes/",
        history_views.changes,
        name="changes",
    ),
]
