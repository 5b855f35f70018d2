"""`manage.py wait_until_indexed`: returns when every published passage of every tenant is found by its meaning too."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.progress import Progress

from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from knowledge.models import ArticleStatus, Chunk

POLL_SECONDS = 0.5


class Command(BaseCommand):
    """Follows the embedding of passages with a progress bar."""

    help = "Wait until the inference worker has embedded all published passages."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--timeout", type=int, default=900, help="seconds; default %(default)s")

    def handle(self, *args: Any, **options: Any) -> None:
        deadline = time.monotonic() + options["timeout"]
        with Progress() as progress:
            bar = progress.add_task("Passages")
            while True:
                total, waiting = self._count()
                progress.update(bar, total=total, completed=total - waiting)
                if not waiting:
                    return
                if time.monotonic() > deadline:
                    raise CommandError(f"{waiting} passages still wait for the inference worker. Is it running?")
                time.sleep(POLL_SECONDS)

    def _count(self) -> tuple[int, int]:
        """Published passages, and those of them without a vector."""
        total = waiting = 0
        for tenant_id in Tenant.objects.values_list("id", flat=True):
            with tenant_atomic(tenant_id):
                published = Chunk.objects.filter(article__status=ArticleStatus.PUBLISHED)
                total += published.count()
                waiting += published.filter(embedding__isnull=True).count()
        return total, waiting
