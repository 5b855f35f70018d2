"""Reviewing: an overview, and one answer after another."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from helpdesk.errors import Conflict, InvalidInput
from helpdesk.permissions import Right
from helpdesk.users.access import DeskRequest, desk_view
from reviews import domain
from reviews.figure_charts import figures
from reviews.figures import PERIODS, FigureFilter, weeks_of
from reviews.forms import FigureFilterForm, VerdictForm
from reviews.models import Cause, ReviewItem, SampledFor, Verdict
from reviews.queries import reviewed_today, waiting
from reviews.rules import review_rules
from reviews.showing import shown_answer

PAGE = "reviews/answer.html"


@require_GET
@desk_view(Right.REVIEW_ANSWERS)
def overview(request: DeskRequest) -> HttpResponse:
    """How much waits, where to begin, and what the verdicts say."""
    queue = waiting(request.user)
    filter_form = FigureFilterForm(request.GET)
    filters = {name: value for name, value in filter_form.chosen().items() if value}
    period = next((weeks for weeks in PERIODS if str(weeks) == request.GET.get("period", "")), PERIODS[0])
    context = {
        "queue": queue,
        "reasons": [(value, label, queue.by_reason[value]) for value, label in SampledFor.choices],
        "rules": review_rules(),
        "may_manage": Right.MANAGE_REVIEWS in request.rights,
        "filter_form": filter_form,
        "filters": filters,
        "period": period,
        "periods": [
            {"weeks": weeks, "is_current": weeks == period, "query": urlencode({**filters, "period": weeks})}
            for weeks in PERIODS
        ],
        "figures": figures(weeks_of(FigureFilter(**filters), period=period)),
    }
    return render(request, "reviews/overview.html", context)


@never_cache
@require_GET
@desk_view(Right.REVIEW_ANSWERS)
def next_answer(request: DeskRequest) -> HttpResponse:
    """The next answer of the queue, or of one of its reasons; it is this person's for a while."""
    return _answer_page(request, domain.next_item(request.user, sampled_for=_wanted(request.GET.get("for", ""))))


@require_POST
@desk_view(Right.REVIEW_ANSWERS)
def verdict(request: DeskRequest, item_id: UUID) -> HttpResponse:
    """Keep the verdict and go on to the next answer. What was typed comes back when something is missing."""
    form = VerdictForm(request.POST)
    if not form.is_valid():
        raise InvalidInput
    try:
        domain.give_verdict(
            item_id, user=request.user, round_shown=form.cleaned_data["round"], judgement=form.judgement()
        )
    except Conflict as error:
        messages.warning(request, str(error.message))
    except InvalidInput as error:
        item = domain.waiting_for(request.user).filter(id=item_id).first()
        return _answer_page(request, item, typed=form.cleaned_data, problem=str(error.message), status=error.status)
    return _on(request)


@require_POST
@desk_view(Right.REVIEW_ANSWERS)
def skip(request: DeskRequest, item_id: UUID) -> HttpResponse:
    """Leave it to others, and go on."""
    domain.skip_item(item_id, user=request.user)
    return _on(request)


@require_POST
@desk_view(Right.REVIEW_ANSWERS)
def undo(request: DeskRequest, item_id: UUID) -> HttpResponse:
    """Take the person's last verdict back and show that answer again."""
    try:
        domain.take_back(item_id, user=request.user)
    except Conflict:
        messages.warning(request, _("This verdict can't be undone anymore."))
    return _on(request, anything=True)


def _on(request: DeskRequest, *, anything: bool = False) -> HttpResponse:
    """To the next answer of the same queue; `anything`: also of another."""
    address = reverse("reviews:next", kwargs={"tenant_slug": request.tenant.slug})
    wanted = "" if anything else _wanted(request.POST.get("for", ""))
    return redirect(f"{address}?{urlencode({'for': wanted})}" if wanted else address)


def _wanted(reason: str) -> str:
    return reason if reason in SampledFor.values else ""


def _answer_page(
    request: DeskRequest,
    item: ReviewItem | None,
    *,
    typed: dict[str, Any] | None = None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    given = request.POST if request.method == "POST" else request.GET
    context = {
        "shown": shown_answer(item) if item else None,
        "item": item,
        "wanted": _wanted(given.get("for", "")),
        "verdicts": Verdict.choices,
        "causes": list(enumerate(Cause.choices, 1)),
        "typed": typed or {},
        "problem": problem,
        "last": domain.last_review(request.user),
        "left": domain.waiting_for(request.user).count(),
        "today": reviewed_today(request.user),
    }
    return render(request, PAGE, context, status=status)
