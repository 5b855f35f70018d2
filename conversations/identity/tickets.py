"""Tickets: a page that may show a company's chat gets one with the frame, and nothing is served without one.

They hold an origin and no visitor. A socket takes one of the last ten minutes; for a session an older one will do as long as the
company still names its origin, and gets a new one in return. So a website that is taken off the list is out within minutes.
"""

from __future__ import annotations

from datetime import timedelta

from django.core import signing

from conversations.errors import TicketExpired, WebsiteRefused
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.sites import is_allowed

SOCKET_WITHIN = timedelta(minutes=10)
SESSION_WITHIN = timedelta(days=1)
# Like a visitor's token it is a websocket subprotocol too, whose alphabet (RFC 9110 token) has "~" but no ":".
_signer = signing.TimestampSigner(salt="glassdesk.widget-origin", sep="~")


def issue_ticket(tenant: Tenant, origin: str) -> str:
    """A ticket for pages of this origin (helpdesk.tenants.sites)."""
    return _signer.sign_object({"t": str(tenant.id), "o": origin})


def check_ticket(ticket: str, *, tenant: Tenant, within: timedelta) -> str:
    """The origin that it was issued for. Raises TicketExpired for one that is missing, old or forged, WebsiteRefused when the
    company no longer names the origin, or it is another company's."""
    try:
        data = _signer.unsign_object(ticket, max_age=within)
        issued_to, origin = data["t"], data["o"]
    except (signing.BadSignature, KeyError, TypeError, ValueError) as error:
        raise TicketExpired from error
    if issued_to != str(tenant.id) or not is_allowed(tenant, origin):
        raise WebsiteRefused
    return str(origin)
