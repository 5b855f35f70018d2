"""Django's admin for whoever runs the server: companies, who belongs to them, and what waits. It reads, and changes nothing.

Nothing here shows what a company's people or customers wrote: the tables that hold it are not registered, and row-level security
keeps them shut besides. It is not there unless it is switched on (GLASSDESK_OPERATORS), and opens to accounts that
`manage.py operators` named, in a session that was begun with a second step.
"""

from __future__ import annotations

from functools import update_wrapper
from typing import TYPE_CHECKING, Any, cast

from allauth.account.authentication import get_authentication_records
from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import SimpleLazyObject
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from redis.exceptions import RedisError

from helpdesk.pending.models import OpenWork
from helpdesk.queue.lengths import read_queue
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.people import members

MOST_MEMBERS = 200

# The stubs' class is generic, Django's is not.
if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = admin.ModelAdmin


def is_operator(request: HttpRequest) -> bool:
    """An operator's account, in a session that a second step began and no company's provider."""
    user: Any = request.user
    if not (user.is_active and user.is_authenticated and user.is_staff) or user.only_in is not None:
        return False
    return any(record.get("method") == "mfa" for record in get_authentication_records(request, user))


class OperatorSite(admin.AdminSite):
    """Not there for anybody else."""

    site_header = site_title = _("Glassdesk operators")
    index_title = _("This server")
    site_url = None

    def has_permission(self, request: HttpRequest) -> bool:
        return is_operator(request)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Whoever is signed in and no operator finds nothing; others sign in as everywhere."""
        inner = super().admin_view(view, cacheable)

        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if is_operator(request):
                return cast(HttpResponse, inner(request, *args, **kwargs))
            if request.user.is_authenticated:
                raise Http404
            return redirect_to_login(request.get_full_path())

        return update_wrapper(guarded, inner)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """There is no sign-in of its own."""
        raise Http404

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The account's own page."""
        return redirect("account_logout")

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The account's own page, with its rules."""
        return redirect("account_change_password")

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return super().each_context(request) | {"waiting": SimpleLazyObject(_waiting)}


class ReadOnly(_ModelAdmin):
    """Operators look; commands change."""

    list_per_page = 50
    actions = None

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return is_operator(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return is_operator(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class TenantAdmin(ReadOnly):
    """Companies, each with its members."""

    list_display = ("slug", "name", "requires_second_step", "created_at")
    search_fields = ("slug", "name")
    ordering = ("slug",)
    fields = ("slug", "name", "default_language", "requires_second_step", "created_at", "people")

    @admin.display(description=_("People"))
    def people(self, tenant: Tenant) -> SafeString:
        """Who belongs to it, at most MOST_MEMBERS."""
        with tenant_atomic(tenant.id):
            rows = members()[:MOST_MEMBERS]
        lines = [(member.user.email, member.role) for member in rows]
        return format_html_join("", "<p>{} · {}</p>", lines)


class OpenWorkAdmin(ReadOnly):
    """What waits, by company and kind: marks, and nothing of the work itself."""

    list_display = ("kind", "tenant", "due_at")
    list_filter = ("kind",)
    list_select_related = ("tenant",)
    ordering = ("due_at",)
    fields = ("kind", "tenant", "due_at")


def _waiting() -> int | None:
    """Replies that no worker has taken yet; None while Redis is away."""
    try:
        return sum(read_queue().lengths.values())
    except RedisError:
        return None


site = OperatorSite(name="operators")
site.register(Tenant, TenantAdmin)
site.register(OpenWork, OpenWorkAdmin)
