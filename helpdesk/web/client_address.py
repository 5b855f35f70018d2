"""Where a request comes from, for everything that is limited by address.

Forwarding headers are believed hop by hop, from the nearest: only what a proxy of GLASSDESK_TRUSTED_PROXIES says counts, and
only until the first address that is none of them. Whatever a stranger writes into such a header changes nothing.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

# One customer of a provider holds all addresses of such a network (RFC 6177).
IPV6_PREFIX = 64
UNKNOWN = "unknown"

Address = IPv4Address | IPv6Address


def client_address(request: HttpRequest) -> str:
    """The address that limits count for this request: an IPv4 address, or the network of an IPv6 one."""
    return limited_address(request.META.get("REMOTE_ADDR", ""), request.META.get("HTTP_X_FORWARDED_FOR", ""))


def limited_address(peer: str, forwarded: str) -> str:
    """`peer` is who opened the connection, `forwarded` the text of X-Forwarded-For, the nearest hop last.

    An unreadable hop ends the walk: whoever is behind it shares the last readable address.
    """
    found = _read(peer)
    if found is None:
        return UNKNOWN
    for hop in reversed(forwarded.split(",")):
        further = _read(hop) if _is_trusted(found) else None
        if further is None:
            break
        found = further
    return str(found) if isinstance(found, IPv4Address) else str(ip_network((found, IPV6_PREFIX), strict=False))


def _is_trusted(address: Address) -> bool:
    return any(address in network for network in settings.TRUSTED_PROXIES)


def _read(text: str) -> Address | None:
    """With or without a port, as proxies write it; an IPv4 address inside an IPv6 one is the IPv4 address."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
