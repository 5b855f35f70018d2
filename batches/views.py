"""The page where owners and admins follow and cancel batch jobs, and fetch their results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from batches.domain import cancel_batch
from batches.models import FED_STATES, OPEN_STATES, Batch
from batches.queries import Progress, batch_by_id, progress_of
from batches.result_lines import POSITION, result_lines
from helpdesk.pages.moments import full_words
from helpdesk.permissions import Right
from helpdesk.users.access import DeskRequest, desk_view
from helpdesk.web.streaming import streamed

ROWS = 50


@dataclass(frozen=True, slots=True)
class Row:
    """One batch with its progress."""

    batch: Batch
    progress: Progress

    @property
    def title(self) -> str:
        """Its name; one without is called by when it was submitted."""
        return self.batch.name or _("Batch of %(when)s") % {"when": full_words(self.batch.created_at)}

    @property
    def is_open(self) -> bool:
        return self.batch.state in OPEN_STATES

    @property
    def may_cancel(self) -> bool:
        return self.batch.state in FED_STATES


@never_cache
@require_safe
@desk_view(Right.MANAGE_BATCHES)
def batch_list(request: DeskRequest) -> HttpResponse:
    """The newest batches. While one is open, the list asks for itself again."""
    template = "batches/_list.html" if "rows" in request.GET else "batches/list.html"
    rows = _rows()
    return render(request, template, {"rows": rows, "is_moving": any(row.is_open for row in rows), "limit": ROWS})


@require_POST
@desk_view(Right.MANAGE_BATCHES)
def cancel(request: DeskRequest, batch_id: UUID) -> HttpResponse:
    """Cancel what has not ended."""
    cancel_batch(tenant_id=request.tenant.id, batch_id=batch_id)
    messages.success(request, _("Batch cancelled. Answers finished before that are kept."))
    return redirect("batches:list", tenant_slug=request.tenant.slug)


@never_cache
@require_safe
@desk_view(Right.MANAGE_BATCHES)
def results(request: DeskRequest, batch_id: UUID) -> HttpResponse:
    """All results so far as a file, one JSON object a line, as they were submitted."""
    batch = batch_by_id(batch_id)
    # Read only after the view's transaction has ended: each portion opens the tenant's scope for itself.
    lines = result_lines(request.tenant.id, batch, POSITION)
    response: HttpResponseBase = streamed(request, lines, content_type="application/x-ndjson; charset=utf-8")
    # Neither a slug nor an id has a character that the header would need to quote.
    name = f"glassdesk-{request.tenant.slug}-batch-{batch.created_at:%Y-%m-%d}-{batch.id.hex[:8]}.jsonl"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return cast(HttpResponse, response)


def _rows() -> list[Row]:
    batches = list(Batch.objects.select_related("created_by", "api_key").order_by("-created_at", "-id")[:ROWS])
    progress = progress_of(batches)
    return [Row(batch, progress[batch.id]) for batch in batches]
