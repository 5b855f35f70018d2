"""What every long-running process asks itself before it serves anybody."""

from __future__ import annotations

from django.core.checks import ERROR, Tags, run_checks
from django.core.exceptions import ImproperlyConfigured


def refuse_unsafe_start() -> None:
    """Run the security and database checks; raises ImproperlyConfigured with all reasons when one fails.

    A database that cannot be reached raises as well: a process that cannot check its role must not serve.
    """
    found = run_checks(tags=[Tags.security, Tags.database], databases=["default"])
    reasons = [str(message.msg) for message in found if message.level >= ERROR and not message.is_silenced()]
    if reasons:
        raise ImproperlyConfigured("Glassdesk does not start like this: " + " ".join(reasons))
