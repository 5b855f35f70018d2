"""The page on which owners and admins put the chat on their websites."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from conversations.queries import default_assistant
from conversations.widget.forms import WidgetForm
from conversations.widget.settings import change_widget
from helpdesk.errors import Conflict, InvalidInput
from helpdesk.facts.kinds import user_actor
from helpdesk.permissions import Right
from helpdesk.tenants.models import Tenant
from helpdesk.users.access import DeskRequest, desk_view
from helpdesk.web.static_files import integrity

LOADER = "widget/loader.js"


@require_http_methods(["GET", "HEAD", "POST"])
@desk_view(Right.MANAGE_WIDGET)
def widget(request: DeskRequest) -> HttpResponse:
    """The snippet, and the settings; what was typed comes back when it cannot be saved."""
    if request.method != "POST":
        return _page(request, WidgetForm.of(request.tenant, default_assistant()))
    form = WidgetForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=InvalidInput.status)
    try:
        changed = change_widget(
            tenant_id=request.tenant.id,
            based_on=form.cleaned_data["based_on"],
            settings=form.settings(),
            actor=user_actor(request.user),
        )
    except Conflict as error:
        _explain_conflict(form, request.tenant)
        return _page(request, form, status=error.status)
    messages.success(
        request, _("Saved. Pages that open the chat from now on show it.") if changed else _("Nothing was changed.")
    )
    return redirect("desk:widget", tenant_slug=request.tenant.slug)


def _explain_conflict(form: WidgetForm, tenant: Tenant) -> None:
    """Sending the form again then puts the kept settings on top of the other person's."""
    form.add_error(
        None, _("Somebody changed these settings meanwhile. Yours are kept below; saving again puts them on top.")
    )
    typed = cast(QueryDict, form.data).copy()
    typed["based_on"] = str(tenant.widget_version)
    form.data = typed


def _page(request: DeskRequest, form: WidgetForm, *, status: int = 200) -> HttpResponse:
    context = {
        "form": form,
        "loader": request.build_absolute_uri(static(LOADER)),
        "integrity": integrity(LOADER),
        "accent": request.tenant.accent,
    }
    return render(request, "conversations/widget.html", context, status=status)
