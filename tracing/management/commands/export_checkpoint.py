"""`manage.py export_checkpoint TENANT [--out FILE]`: a signed note of where the tenant's chain stands, to keep elsewhere."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from helpdesk.crypto import SealError
from helpdesk.tenants.scope import tenant_atomic
from tracing.anchoring import anchor_chains
from tracing.checkpoint import export_checkpoint, fingerprint
from tracing.management.tenants import named_tenant


class Command(BaseCommand):
    """Writes the checkpoint to a file or to the standard output, and the key's fingerprint to the standard error."""

    help = "Write a signed checkpoint of a tenant's chain."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", help="the tenant's slug")
        parser.add_argument("--out", type=Path, help="the file to write; the standard output without it")

    def handle(self, *args: Any, tenant: str, out: Path | None = None, **options: Any) -> None:
        found = named_tenant(tenant)
        try:
            with tenant_atomic(found.id):
                checkpoint = export_checkpoint()
        except SealError as error:
            raise CommandError(str(error)) from None
        anchor_chains()
        text = json.dumps(checkpoint, indent=1)
        if out is None:
            self.stdout.write(text)
        else:
            try:
                out.write_text(text + "\n", encoding="utf-8")
            except OSError as error:
                raise CommandError(f"{out} cannot be written: {error.strerror}.") from None
        self.stderr.write(f"#{checkpoint['sequence']}, signed by key {fingerprint(checkpoint)}")
