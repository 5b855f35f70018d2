"""What owners and admins enter about how long traces are kept."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from tracing.forms import REASON_FIELD, ReasonForm
from tracing.models import RetentionPolicy
from tracing.retention import PolicyMalformed, set_policy

MOST_DAYS = 36_500


def _days(label: object, help_text: object) -> forms.IntegerField:
    return forms.IntegerField(
        label=cast(str, label), help_text=cast(str, help_text), required=False, min_value=1, max_value=MOST_DAYS
    )


class PolicyForm(forms.Form):
    """Days for each class; an empty field keeps it."""

    prompts = _days(
        _("Questions, prompts and passages (days)"),
        _("Includes comments on answers. Leave empty to keep forever. Can't be longer than answers."),
    )
    answers = _days(
        _("Answers, tokens and analyses (days)"),
        _("Leave empty to keep forever. Can't be longer than the whole record."),
    )
    metrics = _days(_("Whole record (days)"), _("Includes times, sizes and counts. Leave empty to keep forever."))

    @classmethod
    def of(cls, policy: RetentionPolicy | None) -> PolicyForm:
        """The form with the policy in force."""
        if policy is None:
            return cls()
        days = {"prompts": policy.prompts_days, "answers": policy.answers_days, "metrics": policy.metrics_days}
        return cls(initial=days)

    def store(self, **who: Any) -> bool:
        """Set the policy if it makes sense; else the form says what is wrong."""
        try:
            set_policy(**self.cleaned_data, **who)
        except PolicyMalformed as error:
            self.add_error(None, str(error.message))
            return False
        return True


class HoldForm(ReasonForm):
    """Why a conversation is held or released. Its ids are its own: the drawer beside it asks for a reason too."""

    reason = forms.CharField(
        label=_("Why?"),
        help_text=_("For example, a case number. Your name, this reason and the time are kept permanently."),
        required=False,
        widget=forms.TextInput(attrs=REASON_FIELD),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.auto_id = "id_hold_%s"
