"""How allauth behaves here: people join by invitation, nobody signs up alone."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Closed sign-up; everything else as allauth does it."""

    def is_open_for_signup(self, request: Any) -> bool:
        return False
