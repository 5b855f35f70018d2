"""The page of reports, its file, and where the company's days begin."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from helpdesk.permissions import Right
from helpdesk.users.access import DeskRequest, desk_view
from reports.changing import change_time_zone
from reports.days import ONE_DAY
from reports.forms import PERIODS, ReportForm, TimeZoneForm, query_of
from reports.reading import Wanted, read, today_of_company
from reports.report import Report, report_of
from reports.showing import page
from reports.tables import csv_of


@never_cache
@require_safe
@desk_view(Right.SEE_REPORTS)
def reports(request: DeskRequest) -> HttpResponse:
    """The figures of a period beside those of the one before."""
    form, report = _report(request)
    may_manage = Right.MANAGE_REPORTS in request.rights
    wanted = report.read.wanted
    context: dict[str, Any] = {
        "form": ReportForm(_initial(wanted), today=form.today),
        "report": report,
        "periods": _periods(wanted, form),
        "export_query": query_of(wanted),
        "zone": report.read.where.key,
        "zone_form": TimeZoneForm(initial={"time_zone": report.read.where.key}) if may_manage else None,
        **page(report, with_agents=may_manage),
    }
    return render(request, "reports/reports.html", context)


@never_cache
@require_safe
@desk_view(Right.SEE_REPORTS)
def export(request: DeskRequest) -> HttpResponse:
    """The same report as a file for spreadsheets."""
    _form, report = _report(request)
    body = csv_of(report, with_agents=Right.MANAGE_REPORTS in request.rights)
    wanted = report.read.wanted
    name = f"glassdesk-{request.tenant.slug}-{wanted.since}-{wanted.until}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(body, content_type="text/csv; charset=utf-8", headers=headers)


@require_POST
@desk_view(Right.MANAGE_REPORTS)
def time_zone(request: DeskRequest) -> HttpResponse:
    """Have the days begin elsewhere."""
    form = TimeZoneForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose a time zone from the list."))
    elif change_time_zone(tenant_id=request.tenant.id, name=form.cleaned_data["time_zone"]):
        messages.success(request, _("Saved. The figures are being added up again."))
    else:
        messages.success(request, _("Nothing was changed."))
    return redirect("reports:reports", tenant_slug=request.tenant.slug)


def _report(request: DeskRequest) -> tuple[ReportForm, Report]:
    form = ReportForm(request.GET, today=today_of_company())
    return form, report_of(read(form.wanted()))


def _initial(wanted: Wanted) -> dict[str, Any]:
    of = wanted.selection
    return {
        "since": wanted.since, "until": wanted.until, "channel": of.channel, "language": of.language,
        "label": str(of.label or ""),
    }  # fmt: skip


def _periods(wanted: Wanted, form: ReportForm) -> list[dict[str, Any]]:
    """Links to the last so many days, with the same filters."""
    return [
        {
            "days": days,
            "is_current": wanted.until == form.today and wanted.length == days,
            "query": query_of(Wanted(form.today - ONE_DAY * (days - 1), form.today, wanted.selection)),
        }
        for days in PERIODS
    ]
