"""What the audit log is narrowed down to."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from helpdesk.users.people import members
from tracing.audit import COMMAND_LINE, AuditFilter, AuditKind

DAY = {"type": "date"}


class AuditFilterForm(forms.Form):
    """Who, what and when. An unusable value restricts nothing."""

    person = forms.ChoiceField(label=_("By or about"), required=False)
    kind = forms.ChoiceField(label=_("Kind"), required=False, choices=[("", _("Everything")), *AuditKind.choices])
    since = forms.DateField(label=_("From"), required=False, widget=forms.DateInput(attrs=DAY))
    until = forms.DateField(label=_("To"), required=False, widget=forms.DateInput(attrs=DAY))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = [(str(member.user_id), str(member.user)) for member in members()]
        choices = [("", _("Everyone")), *people, (COMMAND_LINE, _("The server's command line"))]
        cast(forms.ChoiceField, self.fields["person"]).choices = choices

    def wanted(self) -> AuditFilter:
        """The filter of what was understood."""
        self.is_valid()
        return AuditFilter(**{name: value for name, value in self.cleaned_data.items() if value})
