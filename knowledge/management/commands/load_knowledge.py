"""`manage.py load_knowledge TENANT PATH`: publish a folder of Markdown files as a tenant's articles."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from helpdesk.errors import NotFound
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.queries import tenant_by_slug
from helpdesk.tenants.scope import tenant_atomic
from knowledge import queries
from knowledge.importing import Outcome, import_files, markdown_files

POLL_SECONDS = 0.5


class Command(BaseCommand):
    """Safe to repeat: only changed files become new versions."""

    help = "Publish a folder of Markdown files (front matter: title, category, language) as a tenant's articles."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", help="slug of the tenant")
        parser.add_argument("path", type=Path, help="folder of Markdown files")
        parser.add_argument(
            "--wait", type=float, default=0.0, metavar="SECONDS", help="wait so long for the inference worker's vectors"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            tenant = tenant_by_slug(options["tenant"])
        except NotFound as error:
            raise CommandError(f"There is no tenant {options['tenant']!r}.") from error
        folder: Path = options["path"]
        if not folder.is_dir():
            raise CommandError(f"{folder} is not a folder.")
        paths = markdown_files(folder)
        outcomes = self._import(tenant, folder, paths, is_quiet=options["verbosity"] == 0)
        if options["verbosity"] > 0:
            self.stdout.write(_summary(outcomes))
        if sum(outcomes.values()) == outcomes[Outcome.BAD]:
            raise CommandError(f"No article could be read from {folder}.")
        if options["wait"] > 0 and not self._wait_for_vectors(tenant, options["wait"]):
            self.stderr.write(
                "Vectors are still missing; the articles are found by their words until the worker is done."
            )

    def _import(self, tenant: Tenant, folder: Path, paths: list[Path], *, is_quiet: bool) -> Counter[Outcome]:
        outcomes: Counter[Outcome] = Counter()
        with _progress(is_quiet=is_quiet) as progress:
            task = progress.add_task(f"Articles of {tenant.slug}", total=len(paths))
            for result in import_files(tenant_id=tenant.id, paths=paths):
                outcomes[result.outcome] += 1
                if result.outcome is Outcome.BAD:
                    self.stderr.write(f"Skipped {result.path.relative_to(folder)}: {result.reason}.")
                progress.advance(task)
        return outcomes

    def _wait_for_vectors(self, tenant: Tenant, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while True:
            with tenant_atomic(tenant.id):
                waiting = queries.counts().awaiting
            if not waiting:
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_SECONDS)


def _progress(*, is_quiet: bool) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), disable=is_quiet)


def _summary(outcomes: Counter[Outcome]) -> str:
    parts = [f"{outcomes[Outcome.PUBLISHED]} published", f"{outcomes[Outcome.UNCHANGED]} unchanged"]
    if outcomes[Outcome.ARCHIVED]:
        parts.append(f"{outcomes[Outcome.ARCHIVED]} left archived")
    if outcomes[Outcome.BAD]:
        parts.append(f"{outcomes[Outcome.BAD]} skipped")
    return ", ".join(parts) + "."
