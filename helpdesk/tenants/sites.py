"""Which websites may show a company's chat: their origins, in one spelling."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from helpdesk.errors import InvalidInput
from helpdesk.tenants.models import Tenant

# What a ticket and a list of origins say for the desk's own pages.
OWN = ""


def origin(site: str) -> str:
    """`https://shop.example` of an address; raises InvalidInput for anything that is not the address of a website."""
    try:
        parts = urlsplit(site.strip())
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    bare = parts.path in {"", "/"} and not (parts.query or parts.fragment or parts.username or parts.password)
    if parts.scheme not in {"https", "http"} or not parts.hostname or not bare or not _is_host(parts.hostname):
        raise InvalidInput(
            _("%(site)s is not a website. Write it like https://shop.example, without a path.") % {"site": site}
        )
    usual = {"https": 443, "http": 80}[parts.scheme]
    return f"{parts.scheme}://{parts.hostname}" + (f":{port}" if port and port != usual else "")


def admitted_origin(tenant: Tenant, claimed: str, *, host: str) -> str | None:
    """The origin in one spelling when it may show the company's chat, OWN for pages of this desk, else None.

    `claimed` is what the page around the frame says of itself; that it is true, browsers see to (frame-ancestors).
    """
    if not claimed:
        return OWN
    try:
        spelled = origin(claimed)
    except InvalidInput:
        return None
    if urlsplit(claimed).netloc.lower() == host.lower():
        return OWN
    return spelled if is_allowed(tenant, spelled) else None


def is_allowed(tenant: Tenant, spelled: str) -> bool:
    """Whether the company names it now."""
    return spelled == OWN or spelled in tenant.allowed_origins


def _is_host(name: str) -> bool:
    """Letters, digits, hyphens and dots: nothing that means something else in a policy header."""
    return all(character.isascii() and (character.isalnum() or character in "-.") for character in name)
