"""The page behind an invitation's link."""

from __future__ import annotations

from typing import cast

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from helpdesk.errors import Forbidden
from helpdesk.users.attempts import remember_browser
from helpdesk.users.company_sign_in import provider_name
from helpdesk.users.forms import JoinForm
from helpdesk.users.invitations import (
    InvitationGone,
    Offer,
    accept_as,
    accept_with_password,
    find_offer,
    reopen_offer,
)
from helpdesk.users.models import User

SESSION_KEY = "invitation"


@sensitive_post_parameters("password1", "password2")
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest) -> HttpResponse:
    """Shows what the link offers and to whom, and accepts it by POST: programs that look into mails open links."""
    try:
        if "token" in request.GET:
            return _keep_link(request)
        if SESSION_KEY not in request.session:
            raise InvitationGone
        offer = reopen_offer(*request.session[SESSION_KEY])
        if request.method != "POST":
            return _page(request, offer)
        if "leave" in request.POST:
            return _leave(request)
        if request.user.is_authenticated:
            return _accept(request, offer)
        return _accept_with_password(request, offer)
    except InvitationGone as error:
        request.session.pop(SESSION_KEY, None)
        return render(request, "account/invitation_gone.html", {"error": error}, status=error.status)


@require_safe
def company(request: HttpRequest) -> HttpResponse:
    """Where people name their company, to go on to its own sign-in: a link, since a form must not lead to other sites."""
    slug = request.GET.get("company", "").strip().lower()
    name = provider_name(slug) if slug else None
    return render(
        request, "account/company.html", {"slug": slug, "name": name}, status=404 if slug and not name else 200
    )


def _keep_link(request: HttpRequest) -> HttpResponse:
    """To an address without the token, which then stands in no history, log, session or Referer header."""
    offer = find_offer(request.GET.get("company", ""), request.GET["token"])
    request.session[SESSION_KEY] = offer.tenant.slug, str(offer.invitation.id)
    return redirect("invitation")


def _page(request: HttpRequest, offer: Offer, form: JoinForm | None = None) -> HttpResponse:
    if request.user.is_authenticated:
        state = "join" if offer.account == request.user else "other"
    elif offer.account is not None and not offer.account.is_active:
        state = "inactive"
    else:
        state = "new" if offer.needs_password else "sign_in"
    if state == "new" and form is None:
        form = JoinForm(user=_person(offer))
    return render(request, "account/invitation.html", {"offer": offer, "state": state, "form": form})


def _leave(request: HttpRequest) -> HttpResponse:
    """Sign out whoever is signed in, and keep what the link offered."""
    kept = request.session[SESSION_KEY]
    logout(request)
    request.session[SESSION_KEY] = kept
    return redirect("invitation")


def _accept(request: HttpRequest, offer: Offer) -> HttpResponse:
    try:
        accept_as(offer, cast(User, request.user))
    except Forbidden:
        return _page(request, offer)
    return _to_the_desk(request, offer)


def _accept_with_password(request: HttpRequest, offer: Offer) -> HttpResponse:
    if not offer.needs_password:
        return _page(request, offer)
    form = JoinForm(data=request.POST, user=_person(offer))
    if not form.is_valid():
        return _page(request, offer, form)
    try:
        user = accept_with_password(offer, name=form.cleaned_data["name"], password=form.cleaned_data["password1"])
    except Forbidden:
        return redirect("invitation")
    get_adapter(request).login(request, user)
    response = _to_the_desk(request, offer)
    remember_browser(response, user.email)
    return response


def _to_the_desk(request: HttpRequest, offer: Offer) -> HttpResponse:
    request.session.pop(SESSION_KEY, None)
    messages.success(request, _("Welcome to %(company)s.") % {"company": offer.tenant.local_name})
    return redirect("desk:inbox", tenant_slug=offer.tenant.slug)


def _person(offer: Offer) -> User:
    """Whom the password is for: it may not be like their name or address."""
    return offer.account or User(email=offer.invitation.email, name=offer.invitation.name)
