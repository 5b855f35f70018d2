"""The page on which owners and admins set when a person is asked to take over."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.forms.models import model_to_dict
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from conversations.hand_off.rules import change_hand_off_rules
from conversations.replies import hand_off_rules
from helpdesk.errors import InvalidInput
from helpdesk.facts.kinds import user_actor
from helpdesk.permissions import Right
from helpdesk.users.access import DeskRequest, desk_view


class HandOffRulesForm(forms.Form):
    """The rules, each a checkbox, and the time until the alarm."""

    on_failure = forms.BooleanField(
        label=gettext_lazy("The AI fails or takes too long"),
        required=False,
        help_text=gettext_lazy("Without this, the customer is offered a person and decides."),
    )
    on_complaint = forms.BooleanField(label=gettext_lazy("The customer is upset"), required=False)
    on_repeated = forms.BooleanField(label=gettext_lazy("The customer asks the same thing again"), required=False)
    on_thumbs_down = forms.BooleanField(
        label=gettext_lazy("The customer says the latest answer didn't help"), required=False
    )
    on_low_confidence = forms.BooleanField(
        label=gettext_lazy("The AI answers with low confidence"),
        required=False,
        help_text=gettext_lazy("The customer still gets the answer, with a note that a person will check it."),
    )
    on_refusal = forms.BooleanField(
        label=gettext_lazy("The articles have no answer"),
        required=False,
        help_text=gettext_lazy("Without this, the customer is offered a person and decides."),
    )
    alarm_minutes = forms.IntegerField(
        label=gettext_lazy("Alert after, in minutes"),
        min_value=1,
        max_value=1440,
        help_text=gettext_lazy(
            "1 to 1440. If nobody has taken it by then, everyone who can reply gets an e-mail; with teams, the next team does."
        ),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@desk_view(Right.EDIT_ASSISTANT)
def rules(request: DeskRequest) -> HttpResponse:
    """Read and change them."""
    if request.method != "POST":
        initial = model_to_dict(hand_off_rules(), fields=list(HandOffRulesForm.base_fields))
        return render(request, "conversations/hand_off_rules.html", {"form": HandOffRulesForm(initial=initial)})
    form = HandOffRulesForm(request.POST)
    if not form.is_valid():
        context = {"form": form}
        return render(request, "conversations/hand_off_rules.html", context, status=InvalidInput.status)
    changed = change_hand_off_rules(
        tenant_id=request.tenant.id, values=form.cleaned_data, actor=user_actor(request.user)
    )
    messages.success(request, _("Saved.") if changed else _("Nothing was changed."))
    return redirect("desk:hand_off_rules", tenant_slug=request.tenant.slug)
