"""`manage.py verify_traces [TENANT] [--checkpoint FILE] [--anchors FILE]`: check that nothing was altered, removed or moved."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from helpdesk.crypto import SealError
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_snapshot
from tracing.anchors import AnchorLog, read_anchors
from tracing.checkpoint import CheckpointMalformed, parse_checkpoint, verify_checkpoint
from tracing.findings import Finding, Verification
from tracing.management.tenants import named_tenants
from tracing.verify import verify_chain

EXPLANATIONS = {
    "altered": "a column was changed, or the row was inserted",
    "content_altered": "the sealed content was changed, or is gone without a receipt",
    "moved": "the row stood elsewhere",
    "removed": "the row is gone and no genuine receipt covers it",
    "restored": "the row was deleted by the retention policy and is back",
    "inserted": "the row was not written by the desk",
    "head_altered": "the end of the chain was changed or newer rows are gone",
    "cut": "the newest rows were cut off after an anchor",
    "rewritten": "the chain does not pass through its anchors: rows were written anew",
    "turned_back": "the chain went back",
    "anchors_missing": "the anchors cannot be compared",
    "anchors_altered": "the file of the anchors was changed",
    "anchors_cut": "the end of the file of the anchors is gone",
    "key_destroyed": "the key is gone and no receipt says why: what it sealed is unreadable",
    "key_restored": "the key was destroyed by an erasure and is back",
    "key_altered": "the key was changed: what it sealed is unreadable",
    "key_missing": "traces need a key whose row is gone",
    "hold_altered": "a legal hold differs from the chain",
    "policy_altered": "the retention policy differs from the chain",
    "api_key_inserted": "the desk did not make this API key",
    "api_key_altered": "the API key differs from what was noted when it was made",
    "api_key_removed": "the API key's row is gone",
    "state_noted_again": "the state beside the chain was noted a second time",
}


class Command(BaseCommand):
    """Walks the chain of one tenant or of all; exits with 1 when something is wrong."""

    help = (
        "Check that no trace, read, analysis, receipt or event was altered, removed, inserted or moved, that nothing is missing "
        "since the last anchor, and that keys, holds, policy and API keys are those that the chain knows of."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", nargs="?", help="the tenant's slug; all tenants without it")
        parser.add_argument(
            "--checkpoint", type=Path, help="also check that the chain still passes through this file's"
        )
        parser.add_argument(
            "--anchors", type=Path, help="compare with this copy of the anchors instead of the desk's own"
        )

    def handle(self, *args: Any, tenant: str | None = None, checkpoint: Path | None = None, **options: Any) -> None:
        signed = _read(checkpoint) if checkpoint else None
        tenants = named_tenants([tenant] if tenant else [])
        # Read before any tenant's rows are: a later anchor would name rows that the check does not see.
        anchors = read_anchors(options["anchors"])
        unsound = [] if tenant else self._strangers(anchors, tenants)
        if signed and not tenant:
            tenants = [each for each in tenants if str(each.id) == signed["tenant"]]
        if not tenants and signed:
            raise CommandError("The checkpoint belongs to a tenant that this database does not have.")
        try:
            unsound += [each.slug for each in tenants if not self._verify(each, anchors, signed)]
        except SealError as error:
            raise CommandError(str(error)) from None
        if unsound:
            raise CommandError(f"Traces were tampered with: {', '.join(unsound)}.")

    def _strangers(self, anchors: AnchorLog | None, tenants: list[Tenant]) -> list[str]:
        """Anchored tenants that this database does not have."""
        missing = sorted(set(anchors.anchors) - {each.id for each in tenants}) if anchors else []
        for tenant_id in missing:
            self.stdout.write(f"{tenant_id}: anchored, but not in this database")
        return [str(tenant_id) for tenant_id in missing]

    def _verify(self, tenant: Tenant, anchors: AnchorLog | None, signed: dict[str, Any] | None) -> bool:
        with tenant_snapshot(tenant.id):
            result = verify_chain(anchors)
            held = verify_checkpoint(signed) if signed else None
        self.stdout.write(f"{tenant.slug}: {result.traces} traces, {'sound' if result.is_sound else 'NOT sound'}")
        details = [f"{result.rows} rows in the chain", f"{result.deleted} deleted with a receipt"]
        details += [f"{result.unchained} reads older than the chain"] if result.unchained else []
        self.stdout.write(f"  {', '.join(details)}")
        self.stdout.write(f"  {_last_anchor(result, anchors)}")
        for note in result.notes:
            self.stdout.write(f"  note: {note}")
        for finding in result.findings:
            self.stdout.write(f"  {_sentence(finding)}")
        if held is not None:
            self.stdout.write(f"  checkpoint #{held.sequence} by key {held.fingerprint}: {held.problem or 'holds'}")
        return result.is_sound and not (held and held.problem)


def _last_anchor(result: Verification, anchors: AnchorLog | None) -> str:
    if anchors is None:
        return "not compared with anchors: GLASSDESK_ANCHORS is empty"
    if result.anchor is None:
        return "no anchor yet: whether the newest rows are gone cannot be told"
    return f"last anchor: #{result.anchor.sequence} on {result.anchor.at:%Y-%m-%d %H:%M} UTC"


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
    place = f"#{finding.sequence}" if finding.sequence else ""
    place += f" to #{finding.last}" if finding.last and finding.last != finding.sequence else ""
    reply = f", reply {finding.reply_id}" if finding.reply_id else ""
    row = f"({finding.table} {finding.row_id}{reply})" if finding.row_id else ""
    origin = f", it was #{finding.moved_from}" if finding.moved_from else ""
    detail = f": {finding.detail}" if finding.detail else ""
    where = " ".join(each for each in (place, row) if each) or "beside the chain"
    return f"{where}: {finding.kind.replace('_', ' ')}: {EXPLANATIONS[finding.kind]}{origin}{detail}"
