"""`manage.py wait_until_indexed [COMPANY …]`: returns when every published passage is found by its meaning too."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from rich.progress import Progress

from helpdesk.tenants.models import Tenant
from helpdesk.tenants.queries import tenant_by_slug
from helpdesk.tenants.scope import tenant_atomic
from knowledge import queries

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 5.0


class Command(BaseCommand):
    """For scripts that ask or measure right after an import; a desk serves meanwhile."""

    help = "Wait until the inference worker has indexed all published passages, of the named companies or of all."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("company", nargs="*", help="slug; all companies when none is named")
        parser.add_argument("--timeout", type=int, default=900, help="seconds; default %(default)s")

    def handle(self, *args: Any, **options: Any) -> None:
        slugs = options["company"]
        tenants = [tenant_by_slug(slug).pk for slug in slugs] if slugs else Tenant.objects.values_list("id", flat=True)
        deadline = time.monotonic() + options["timeout"]
        awaiting, pause = _awaiting(tenants), FIRST_PAUSE_SECONDS
        with Progress() as progress:
            bar = progress.add_task("Passages", total=sum(awaiting.values()))
            while awaiting:
                if time.monotonic() > deadline:
                    raise CommandError(
                        f"{sum(awaiting.values())} passages still wait for the inference worker. Is the desk running?"
                    )
                time.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
                before, awaiting = sum(awaiting.values()), _awaiting(awaiting)
                progress.advance(bar, before - sum(awaiting.values()))


def _awaiting(tenants: Iterable[UUID]) -> dict[UUID, int]:
    """Passages without a vector of each tenant that has any."""
    counts = {}
    for tenant_id in tenants:
        with tenant_atomic(tenant_id):
            if waiting := queries.counts().awaiting:
                counts[tenant_id] = waiting
    return counts
