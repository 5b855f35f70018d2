"""`manage.py rotate_keys [TENANT ...] [--json]`: wrap all keys anew; new traces get new keys."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import Progress

from helpdesk.crypto import SealError
from helpdesk.tenants.models import Tenant
from tracing.anchoring import anchor_chains
from tracing.management.tenants import named_tenants
from tracing.rotate import Rotation, rotate_keys


class Command(BaseCommand):
    """Rotates the keys of some tenants or of all, while they answer; run it again when it was cut off."""

    help = "Wrap a tenant's keys under the current master key and a new tenant key; new traces get new content keys."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenants", nargs="*", help="slugs of tenants; all tenants without any")
        parser.add_argument("--json", action="store_true", help="print one JSON object per tenant")

    def handle(self, *args: Any, tenants: list[str], json: bool, **options: Any) -> None:
        with Progress(console=Console(stderr=True), transient=True, disable=json) as bar:
            for tenant in named_tenants(tenants):
                self.stdout.write(_line(tenant, self._rotate(tenant, bar), as_json=json))
        # The anchors' key too is wrapped by the current master key from now on.
        anchor_chains()

    def _rotate(self, tenant: Tenant, bar: Progress) -> Rotation:
        task = bar.add_task(tenant.slug, total=None)
        try:
            return rotate_keys(tenant.id, progress=lambda done, total: bar.update(task, completed=done, total=total))
        except SealError as error:
            raise CommandError(f"{tenant.slug}: {error} Nothing is lost; run it again once that is fixed.") from None


def _line(tenant: Tenant, rotation: Rotation, *, as_json: bool) -> str:
    if as_json:
        return json.dumps({"tenant": tenant.slug, **asdict(rotation)}, default=str)
    return (
        f"{tenant.slug}: {'finished' if rotation.resumed else 'done'}; {rotation.by_master} keys under master key "
        f"{rotation.master_key_id}, {rotation.by_tenant} customers' keys under tenant key {rotation.tenant_key}, "
        f"{rotation.retired} content keys retired, {rotation.destroyed} old tenant keys destroyed"
    )
