"""The audit log of a company, for owners and admins, on a page and as a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from helpdesk.pages.spreadsheets import BYTE_ORDER_MARK, text_row
from helpdesk.permissions import Right
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.access import DeskRequest, desk_view
from helpdesk.web.streaming import streamed
from tracing.audit import AuditFilter, audit_page
from tracing.audit_forms import AuditFilterForm
from tracing.audit_words import AuditRow, audit_rows
from tracing.throttles import check_export_rate

MAX_ROWS = 50_000
PORTION = 500


@never_cache
@require_safe
@desk_view(Right.SEE_AUDIT_LOG)
def audit(request: DeskRequest) -> HttpResponse:
    """The log, the newest first."""
    form = AuditFilterForm(request.GET)
    wanted = form.wanted()
    page = audit_page(wanted, before=_place(request.GET.get("before", "")))
    filters = {name: str(value) for name, value in form.cleaned_data.items() if value}
    context = {
        "form": form,
        "filters": filters,
        "rows": audit_rows(page.rows),
        "older": urlencode({**filters, "before": page.next_before}) if page.next_before else "",
        "is_first_page": "before" not in request.GET,
        "export_query": urlencode(filters),
    }
    return render(request, "tracing/audit.html", context)


@never_cache
@require_safe
@desk_view(Right.SEE_AUDIT_LOG)
def audit_csv(request: DeskRequest) -> HttpResponse:
    """The listed rows as a file for spreadsheets."""
    check_export_rate(request.user)
    lines = _lines(request.tenant.id, AuditFilterForm(request.GET).wanted(), translation.get_language())
    response = streamed(request, lines, content_type="text/csv; charset=utf-8")
    name = f"glassdesk-{request.tenant.slug}-audit-{timezone.now():%Y-%m-%d}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return cast(HttpResponse, response)


def _lines(tenant_id: UUID, wanted: AuditFilter, language: str | None) -> Iterator[bytes]:
    """Read only after the view's transaction has ended: each portion opens the tenant's scope and the language for itself."""
    yield BYTE_ORDER_MARK + text_row(["number", "at", "kind", "actor", "what", "detail"])
    before, left = None, MAX_ROWS
    while left > 0:
        # Nothing is handed out within: the next piece may be asked for from another thread.
        with tenant_atomic(tenant_id), translation.override(language):
            page = audit_page(wanted, before=before, limit=min(PORTION, left))
            lines = b"".join(_line(row) for row in audit_rows(page.rows))
        yield lines
        before, left = page.next_before, left - len(page.rows)
        if before is None:
            return


def _line(row: AuditRow) -> bytes:
    at = row.at.astimezone(timezone.get_default_timezone()).isoformat(timespec="seconds")
    return text_row([row.sequence, at, row.kind.value, row.actor, row.what, row.detail])


def _place(text: str) -> int | None:
    # The column is a bigint: a longer number would be an error in the database.
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
