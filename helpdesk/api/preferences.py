"""The header `Prefer: wait=SECONDS` (RFC 7240)."""

from __future__ import annotations

from rest_framework.request import Request


def preferred_wait(request: Request, *, most: int) -> int | None:
    """The seconds to wait, at most `most`; None when nothing, or nothing that can be read, is preferred."""
    for preference in request.headers.get("Prefer", "").split(","):
        name, _, value = preference.partition("=")
        digits = value.strip()
        if name.strip().lower() == "wait" and digits.isascii() and digits.isdigit() and len(digits) < 7:
            return min(int(digits), most)
    return None
