"""The page of what reviews found."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from helpdesk.pages.page_numbers import requested_page
from helpdesk.permissions import Right
from helpdesk.users.access import DeskRequest, desk_view
from reviews.findings import findings
from reviews.forms import FindingFilterForm


@require_GET
@desk_view(Right.REVIEW_ANSWERS)
def found(request: DeskRequest) -> HttpResponse:
    """Settled answers, the newest first."""
    form = FindingFilterForm(request.GET)
    page = requested_page(request)
    rows, has_more = findings(**form.chosen(), page=page)
    context = {
        "form": form,
        "is_filtered": any(form.chosen().values()),
        "rows": rows,
        "page": page,
        "has_more": has_more,
        "may_edit": Right.EDIT_KNOWLEDGE in request.rights,
    }
    return render(request, "reviews/found.html", context)
