"""`manage.py create_api_key TENANT --name NAME --scope SCOPE …`: make a key and print it, this once."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from helpdesk.api_keys.domain import create_key
from helpdesk.api_keys.scopes import Scope
from helpdesk.errors import GlassdeskError
from helpdesk.tenants.queries import tenant_by_slug


class Command(BaseCommand):
    """The key's text goes to standard output and nowhere else."""

    help = "Create an API key for a tenant and print it. It can't be shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", help="the tenant's slug")
        parser.add_argument("--name", required=True, help="which software uses it")
        parser.add_argument("--scope", action="append", default=[], choices=[*Scope.values, "all"], help="repeatable")
        parser.add_argument("--expires-days", type=int, help="days until it expires; by default it lasts until revoked")
        parser.add_argument("--requests-per-minute", type=int, help="a limit of its own")

    def handle(self, *args: Any, tenant: str, name: str, scope: list[str], **options: Any) -> None:
        days = options["expires_days"]
        try:
            created = create_key(
                tenant_id=tenant_by_slug(tenant).id,
                name=name,
                scopes=Scope.values if "all" in scope else scope,
                expires_at=None if days is None else timezone.now() + timedelta(days=days),
                requests_per_minute=options["requests_per_minute"],
            )
        except GlassdeskError as error:
            raise CommandError(str(error.message)) from None
        self.stderr.write(f"Key {created.key.prefix} of {tenant}. It won't be shown again:")
        self.stdout.write(created.text)
