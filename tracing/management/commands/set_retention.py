"""`manage.py set_retention TENANT --prompts 30 --answers 90 --metrics keep`: after how many days each class goes."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from helpdesk.errors import GlassdeskError
from helpdesk.tenants.scope import tenant_atomic
from tracing.management.tenants import named_tenant
from tracing.retention import set_policy


class Command(BaseCommand):
    """Stores the tenant's retention policy; it is applied within the hour."""

    help = "Set after how many days prompts, answers and metrics of a tenant's traces are deleted."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", help="the tenant's slug")
        for name in ("prompts", "answers", "metrics"):
            parser.add_argument(f"--{name}", type=_days, required=True, help="days, or the word keep")

    def handle(self, *args: Any, tenant: str, **options: Any) -> None:
        days = {name: options[name] or None for name in ("prompts", "answers", "metrics")}
        try:
            with tenant_atomic(named_tenant(tenant).id):
                set_policy(**days)
        except GlassdeskError as error:
            raise CommandError(str(error.message)) from None
        self.stdout.write(f"{tenant}: " + ", ".join(f"{name} {count or 'kept'}" for name, count in days.items()))


def _days(text: str) -> int:
    """Days, 0 for keep: None would look like an absent option."""
    if text == "keep":
        return 0
    if text.isascii() and text.isdigit() and 0 < int(text) < 100_000:
        return int(text)
    raise ArgumentTypeError("a number of days, or keep")
