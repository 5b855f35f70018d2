"""Files of examples, for those who may take them out of the desk."""

from __future__ import annotations

from django.http import HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from helpdesk.errors import InvalidInput
from helpdesk.facts.kinds import user_actor
from helpdesk.permissions import Right
from helpdesk.users.access import DeskRequest, desk_view
from reviews.exporting import export_examples
from reviews.layouts import Layout
from tracing.throttles import check_export_rate

NAMES = {
    Layout.PREFERENCE: "preference.jsonl",
    Layout.SUPERVISED: "supervised.jsonl",
    Layout.QUESTIONS: "questions.json",
}


@never_cache
@require_POST
@desk_view(Right.MANAGE_REVIEWS)
def export(request: DeskRequest) -> HttpResponse:
    """One file in the layout that the button names."""
    given = request.POST.get("layout", "")
    if given not in list(Layout):
        raise InvalidInput
    layout = Layout(given)
    check_export_rate(request.user)
    exported = export_examples(layout, actor=user_actor(request.user))
    kind = "application/json" if layout == Layout.QUESTIONS else "application/x-ndjson"
    response = HttpResponse(exported.text, content_type=f"{kind}; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="glassdesk-{request.tenant.slug}-{NAMES[layout]}"'
    return response
