"""The page on which owners and admins set which answers are reviewed."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from helpdesk.errors import InvalidInput
from helpdesk.facts.kinds import user_actor
from helpdesk.permissions import Right
from helpdesk.users.access import DeskRequest, desk_view
from reviews.forms import RulesForm
from reviews.rules import change_rules, review_rules

PAGE = "reviews/rules.html"


@require_http_methods(["GET", "HEAD", "POST"])
@desk_view(Right.MANAGE_REVIEWS)
def rules(request: DeskRequest) -> HttpResponse:
    """Read and change them."""
    if request.method != "POST":
        found = review_rules()
        initial = {name: getattr(found, name) for name in RulesForm.base_fields if name != "label"}
        initial["label"] = str(found.label_id or "")
        return render(request, PAGE, {"form": RulesForm(initial=initial)})
    form = RulesForm(request.POST)
    if not form.is_valid():
        return render(request, PAGE, {"form": form}, status=InvalidInput.status)
    changed = change_rules(values=form.values(), actor=user_actor(request.user))
    messages.success(request, _("Saved.") if changed else _("Nothing was changed."))
    return redirect("reviews:overview", tenant_slug=request.tenant.slug)
