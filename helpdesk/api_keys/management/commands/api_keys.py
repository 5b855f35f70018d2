"""`manage.py api_keys TENANT`: list a tenant's keys."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from helpdesk.api_keys.queries import keys_of_tenant
from helpdesk.errors import NotFound
from helpdesk.tenants.queries import tenant_by_slug
from helpdesk.tenants.scope import tenant_atomic


class Command(BaseCommand):
    """Prefix, state, last use, expiry, scopes and name; never a secret."""

    help = "List a tenant's API keys."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", help="the tenant's slug")

    def handle(self, *args: Any, tenant: str, **options: Any) -> None:
        try:
            tenant_id = tenant_by_slug(tenant).id
        except NotFound:
            raise CommandError(f"There is no tenant {tenant}.") from None
        now = timezone.now()
        with tenant_atomic(tenant_id):
            rows = list(keys_of_tenant())
        for key in rows:
            self.stdout.write(
                f"{key.prefix}  {key.state_at(now):<8}  used {_day(key.last_used_at)}  expires {_day(key.expires_at)}  "
                f"{','.join(key.scopes)}  {key.name}"
            )
        if not rows:
            self.stdout.write(f"{tenant} has no keys.")


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d}" if moment else "never"
