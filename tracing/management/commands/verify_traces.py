"""`manage.py verify_traces [TENANT]`: check that no trace was altered, removed, inserted or moved."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from helpdesk.crypto import SealError
from helpdesk.errors import NotFound
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.queries import tenant_by_slug
from helpdesk.tenants.scope import tenant_atomic
from tracing.verify import Finding, verify_chain

EXPLANATIONS = {
    "altered": "a column was changed, or the row was inserted",
    "content_altered": "the sealed content was changed, or is gone without a receipt",
    "moved": "the row stood elsewhere",
    "removed": "the row is gone and no genuine receipt covers it",
    "restored": "the row was deleted by the retention policy and is back",
    "inserted": "the row was not written by the desk",
    "head_altered": "the end of the chain was changed or newer rows are gone",
}


class Command(BaseCommand):
    """Walks the chain of one tenant or of all; exits with 1 when something is wrong."""

    help = "Check that no trace was altered, removed, inserted or moved."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", nargs="?", help="the tenant's slug; all tenants without it")

    def handle(self, *args: Any, tenant: str | None = None, **options: Any) -> None:
        try:
            tenants = [tenant_by_slug(tenant)] if tenant else list(Tenant.objects.order_by("slug"))
            unsound = [each.slug for each in tenants if not self._verify(each)]
        except NotFound:
            raise CommandError(f"There is no tenant {tenant}.") from None
        except SealError as error:
            raise CommandError(str(error)) from None
        if unsound:
            raise CommandError(f"Traces were tampered with: {', '.join(unsound)}.")

    def _verify(self, tenant: Tenant) -> bool:
        with tenant_atomic(tenant.id):
            result = verify_chain()
        self.stdout.write(f"{tenant.slug}: {result.traces} traces, {'sound' if result.is_sound else 'NOT sound'}")
        details = [f"{result.rows} rows in the chain", f"{result.deleted} deleted with a receipt"]
        details += [f"{result.unchained} reads older than the chain"] if result.unchained else []
        self.stdout.write(f"  {', '.join(details)}")
        for finding in result.findings:
            self.stdout.write(f"  {_sentence(finding)}")
        return result.is_sound


def _sentence(finding: Finding) -> str:
    reply = f", reply {finding.reply_id}" if finding.reply_id else ""
    row = f" ({finding.table} {finding.row_id}{reply})" if finding.row_id else ""
    origin = f", it was #{finding.moved_from}" if finding.moved_from else ""
    return f"#{finding.sequence}{row}: {finding.kind.replace('_', ' ')}: {EXPLANATIONS[finding.kind]}{origin}"
