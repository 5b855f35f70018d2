"""Making a company, naming the websites that may show its widget, and letting people in. For the shell, by whoever runs the
desk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from allauth.account.app_settings import PASSWORD_RESET_TOKEN_GENERATOR
from allauth.account.utils import user_pk_to_url_str
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.urls import reverse

from conversations.models import Assistant
from helpdesk.errors import InvalidInput
from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.models import Membership, User


@dataclass(frozen=True, slots=True)
class Invited:
    """A person who may sign in now. `password_path` leads to the page where a new one chooses a password; else empty."""

    user: User
    password_path: str


def create_company(
    *,
    slug: str,
    name: str,
    name_zh: str = "",
    contact_email: str,
    language: str = "en",
    assistant: str = "",
    sites: Sequence[str] = (),
) -> Tenant:
    """A company with its default assistant; `sites` are the origins that may show its widget. Raises InvalidInput."""
    tenant = Tenant(
        slug=slug,
        name=name.strip(),
        name_zh=name_zh.strip(),
        contact_email=contact_email,
        default_language=language,
        allowed_origins=[origin(site) for site in sites],
    )
    _check(tenant)
    with transaction.atomic():
        tenant.save()
        with tenant_atomic(tenant.id):
            Assistant.objects.create(name=assistant.strip() or tenant.name, is_default=True)
    return tenant


def allow_sites(tenant: Tenant, sites: Sequence[str]) -> Tenant:
    """Let these websites show the widget, and no others any more. Raises InvalidInput."""
    tenant.allowed_origins = [origin(site) for site in sites]
    _check(tenant)
    tenant.save(update_fields=["allowed_origins"])
    return tenant


def invite(tenant: Tenant, *, email: str, name: str, role: Role) -> Invited:
    """Make the person a member, and the person first where there is none of that address. Asking again gives a new
    password page to somebody who has none yet. Raises InvalidInput for a member with another role.
    """
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError:
        raise InvalidInput(f"{email} is no e-mail address.") from None
    with transaction.atomic():
        user = User.objects.filter(email=email).first() or User.objects.create_user(email, name=name.strip())
        with tenant_atomic(tenant.id):
            membership, _ = Membership.objects.get_or_create(user=user, defaults={"role": role})
        if membership.role != role:
            raise InvalidInput(f"{email} is already here, as {membership.role}. One person has one role in a company.")
    return Invited(user, "" if user.has_usable_password() else _password_path(user))


def origin(site: str) -> str:
    """`https://shop.example` of an address; raises InvalidInput for anything that is not the address of a website."""
    try:
        parts = urlsplit(site.strip())
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    bare = parts.path in {"", "/"} and not (parts.query or parts.fragment or parts.username or parts.password)
    if parts.scheme not in {"https", "http"} or not parts.hostname or not bare or not _is_host(parts.hostname):
        raise InvalidInput(f"{site} is no website: name it like https://shop.example, without a path.")
    return f"{parts.scheme}://{parts.hostname}" + (f":{port}" if port else "")


def _is_host(name: str) -> bool:
    """Letters, digits, hyphens and dots: nothing that means something else in a policy header."""
    return all(character.isascii() and (character.isalnum() or character in "-.") for character in name)


def _check(tenant: Tenant) -> None:
    try:
        tenant.full_clean()
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise InvalidInput(f"{field}: {messages[0]}") from None


def _password_path(user: User) -> str:
    key = PASSWORD_RESET_TOKEN_GENERATOR().make_token(user)
    return reverse("account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(user), "key": key})
