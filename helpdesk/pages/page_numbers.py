"""Numbers in the addresses of the desk's pages, such as `?page=`: people edit them, and programs guess them."""

from __future__ import annotations

from django.http import HttpRequest

# Behind so many pages nobody pages on.
MOST = 10_000


def requested_number(request: HttpRequest, name: str, *, default: int) -> int:
    """From 0 to MOST; `default` for what is no number. Of any length: longer ones than Python converts are MOST too."""
    raw = request.GET.get(name, "")
    if not (raw.isascii() and raw.isdigit()):
        return default
    digits = raw.lstrip("0") or "0"
    return MOST if len(digits) > len(str(MOST)) else min(int(digits), MOST)


def requested_page(request: HttpRequest) -> int:
    """The page, from 1 on."""
    return max(1, requested_number(request, "page", default=1))
