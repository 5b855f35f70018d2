"""`manage.py apply_retention [TENANT] [--dry-run]`: delete what the policies no longer keep, now rather than hourly."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from helpdesk.crypto import SealError
from helpdesk.tenants.scope import tenant_atomic
from tracing.management.tenants import named_tenants
from tracing.retention import apply_retention, due_counts


class Command(BaseCommand):
    """Applies the retention policy of one tenant or of all."""

    help = "Delete what the tenants' retention policies no longer keep; each batch leaves a receipt in the chain."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", nargs="?", help="the tenant's slug; all tenants without it")
        parser.add_argument("--dry-run", action="store_true", help="only count what is due")

    def handle(self, *args: Any, tenant: str | None = None, dry_run: bool = False, **options: Any) -> None:
        for each in named_tenants([tenant] if tenant else []):
            try:
                if dry_run:
                    with tenant_atomic(each.id):
                        counts = due_counts()
                else:
                    counts = apply_retention(each.id)
            except SealError as error:
                raise CommandError(f"{each.slug}: {error}") from None
            listed = ", ".join(f"{count} {kind.value}" for kind, count in counts.items())
            self.stdout.write(f"{each.slug}: {'due' if dry_run else 'deleted'}: {listed}")
