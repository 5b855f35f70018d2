"""The pages of rules: their list, one of them with its log, and trying one on what happened."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from automation.changing import delete_rule, save_rule, switch_rule
from automation.forms import RuleForm, initial_of
from automation.models import Rule
from automation.showing import shown_rules, shown_runs
from automation.trying import DAYS, MOST_TRIED, try_out
from conversations.inbox.rows import rows_of
from helpdesk.errors import Conflict, InvalidInput, NotFound
from helpdesk.facts.kinds import user_actor
from helpdesk.pages.page_numbers import requested_page
from helpdesk.permissions import Right
from helpdesk.users.access import DeskRequest, desk_view

TRY = "try"


@never_cache
@require_safe
@desk_view(Right.MANAGE_AUTOMATION)
def rules(request: DeskRequest) -> HttpResponse:
    """All of the company."""
    return render(request, "automation/list.html", {"rules": shown_rules()})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@desk_view(Right.MANAGE_AUTOMATION)
def edit(request: DeskRequest, rule_id: UUID | None = None) -> HttpResponse:
    """A new rule, or one to change; with `try` it is tried on what happened, and nothing is stored."""
    rule = _rule(rule_id) if rule_id else None
    if request.method != "POST":
        return _page(request, rule, RuleForm(initial=initial_of(rule) if rule else None))
    form = RuleForm(request.POST)
    if not form.is_valid():
        return _page(request, rule, form, status=InvalidInput.status)
    if TRY in request.POST:
        draft = form.draft()
        return _page(request, rule, form, trial=try_out(draft.trigger, draft.conditions))
    try:
        save_rule(tenant_id=request.tenant.id, draft=form.draft(), rule_id=rule_id, actor=user_actor(request.user))
    except (InvalidInput, Conflict) as error:
        form.add_error(None, str(error.message))
        return _page(request, rule, form, status=error.status)
    messages.success(request, _("Rule saved."))
    return redirect("automation:list", tenant_slug=request.tenant.slug)


@require_POST
@desk_view(Right.MANAGE_AUTOMATION)
def switch(request: DeskRequest, rule_id: UUID) -> HttpResponse:
    """Let it run, or not."""
    switch_rule(
        tenant_id=request.tenant.id, rule_id=rule_id, is_active="on" in request.POST, actor=user_actor(request.user)
    )
    return redirect("automation:list", tenant_slug=request.tenant.slug)


@require_POST
@desk_view(Right.MANAGE_AUTOMATION)
def delete(request: DeskRequest, rule_id: UUID) -> HttpResponse:
    """Delete it with its log."""
    delete_rule(tenant_id=request.tenant.id, rule_id=rule_id, actor=user_actor(request.user))
    messages.success(request, _("Rule deleted."))
    return redirect("automation:list", tenant_slug=request.tenant.slug)


def _page(
    request: DeskRequest, rule: Rule | None, form: RuleForm, *, status: int = 200, trial: Any = None
) -> HttpResponse:
    page = requested_page(request)
    runs, has_more = shown_runs(rule.id, page=page) if rule else ([], False)
    context = {
        "rule": rule,
        "form": form,
        "trial": trial,
        "examples": rows_of(list(trial.examples), with_labels=False) if trial else [],
        "days": DAYS,
        "most": MOST_TRIED,
        "runs": runs,
        "page": page,
        "has_more": has_more,
    }
    return render(request, "automation/edit.html", context, status=status)


def _rule(rule_id: UUID) -> Rule:
    found: Rule | None = Rule.objects.filter(id=rule_id).first()
    if found is None:
        raise NotFound
    return found
