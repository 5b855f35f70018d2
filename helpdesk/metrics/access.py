"""Who may read metrics: the bearer of the token where one is set, otherwise programs on this machine only."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address

# A proxy on this machine would make everybody look local: what it forwards does not count as local.
FORWARDING_HEADERS = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA")


def may_scrape(*, remote: str, headers: Iterable[str], authorization: str, token: str) -> bool:
    """Whether this request may read. `headers` are the names that came, as in a WSGI environment."""
    if token:
        return hmac.compare_digest(authorization.encode(), f"Bearer {token}".encode())
    return not set(FORWARDING_HEADERS) & set(headers) and is_loopback(remote)


def is_loopback(address: str) -> bool:
    """Whether the address is this machine's own; anything unreadable is not."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return (mapped or parsed).is_loopback
