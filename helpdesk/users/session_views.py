"""The page on which people see and end their own sessions."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from helpdesk.users.models import User
from helpdesk.users.sign_ins import end_other_sign_ins, end_sign_in, sign_in_of, sign_ins_of


@require_safe
@login_required
def sessions(request: HttpRequest) -> HttpResponse:
    """Where the person is signed in."""
    context = {"rows": sign_ins_of(request, cast(User, request.user)), "current": sign_in_of(request)}
    return render(request, "account/sessions.html", context)


@require_POST
@login_required
def end_session(request: HttpRequest, sign_in_id: UUID) -> HttpResponse:
    """Sign out one browser; this one goes to the sign-in page."""
    is_this_one = sign_in_of(request) == sign_in_id
    if not is_this_one:
        end_sign_in(cast(User, request.user), sign_in_id)
        messages.success(request, _("That browser is signed out."))
        return redirect("account_sessions")
    user = cast(User, request.user)
    logout(request)
    end_sign_in(user, sign_in_id)
    return redirect("account_login")


@require_POST
@login_required
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """Sign out everywhere but here."""
    count = end_other_sign_ins(request, cast(User, request.user))
    messages.success(
        request,
        ngettext("%(count)d other browser is signed out.", "%(count)d other browsers are signed out.", count)
        % {"count": count},
    )
    return redirect("account_sessions")
