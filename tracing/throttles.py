"""How many files one person may take out of the desk in a minute; without Redis nothing is counted (helpdesk.cache)."""

from __future__ import annotations

import time

from django.core.cache import cache

from helpdesk.errors import TooManyRequests
from helpdesk.users.models import User

WINDOW_SECONDS = 60
EXPORTS_PER_WINDOW = 30


def check_export_rate(user: User) -> None:
    """Count one export of this person. Raises TooManyRequests above the limit."""
    window, passed = divmod(int(time.time()), WINDOW_SECONDS)
    key = f"export-rate:{user.pk}:{window}"
    cache.add(key, 0, 2 * WINDOW_SECONDS)
    try:
        count = cache.incr(key)
    except ValueError:
        return
    if count > EXPORTS_PER_WINDOW:
        raise TooManyRequests(retry_after=WINDOW_SECONDS - passed)
