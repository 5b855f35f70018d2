"""`manage.py verify_traces [TENANT] [--checkpoint FILE]`: check that nothing in the chain was altered, removed or moved."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from helpdesk.crypto import SealError
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_snapshot
from tracing.checkpoint import CheckpointMalformed, parse_checkpoint, verify_checkpoint
from tracing.management.tenants import named_tenants
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

    help = "Check that no trace, read, analysis, receipt or key event was altered, removed, inserted or moved."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", nargs="?", help="the tenant's slug; all tenants without it")
        parser.add_argument(
            "--checkpoint", type=Path, help="also check that the chain still passes through this file's"
        )

    def handle(self, *args: Any, tenant: str | None = None, checkpoint: Path | None = None, **options: Any) -> None:
        signed = _read(checkpoint) if checkpoint else None
        tenants = named_tenants([tenant] if tenant else [])
        if signed and not tenant:
            tenants = [each for each in tenants if str(each.id) == signed["tenant"]]
        if not tenants and signed:
            raise CommandError("The checkpoint belongs to a tenant that this database does not have.")
        try:
            unsound = [each.slug for each in tenants if not self._verify(each, signed)]
        except SealError as error:
            raise CommandError(str(error)) from None
        if unsound:
            raise CommandError(f"Traces were tampered with: {', '.join(unsound)}.")

    def _verify(self, tenant: Tenant, signed: dict[str, Any] | None) -> bool:
        with tenant_snapshot(tenant.id):
            result = verify_chain()
            held = verify_checkpoint(signed) if signed else None
        self.stdout.write(f"{tenant.slug}: {result.traces} traces, {'sound' if result.is_sound else 'NOT sound'}")
        details = [f"{result.rows} rows in the chain", f"{result.deleted} deleted with a receipt"]
        details += [f"{result.unchained} reads older than the chain"] if result.unchained else []
        self.stdout.write(f"  {', '.join(details)}")
        for finding in result.findings:
            self.stdout.write(f"  {_sentence(finding)}")
        if held is not None:
            self.stdout.write(f"  checkpoint #{held.sequence} by key {held.fingerprint}: {held.problem or 'holds'}")
        return result.is_sound and not (held and held.problem)


def _read(path: Path) -> dict[str, Any]:
    try:
        checkpoint = parse_checkpoint(path.read_text(encoding="utf-8"))
        UUID(checkpoint["tenant"])
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from None
    except (CheckpointMalformed, ValueError) as error:
        raise CommandError(f"{path} is no checkpoint: {error}.") from None
    return checkpoint


def _sentence(finding: Finding) -> str:
    reply = f", reply {finding.reply_id}" if finding.reply_id else ""
    row = f" ({finding.table} {finding.row_id}{reply})" if finding.row_id else ""
    origin = f", it was #{finding.moved_from}" if finding.moved_from else ""
    return f"#{finding.sequence}{row}: {finding.kind.replace('_', ' ')}: {EXPLANATIONS[finding.kind]}{origin}"
