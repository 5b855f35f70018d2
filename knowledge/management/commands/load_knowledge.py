"""`manage.py load_knowledge TENANT PATH`: publish a folder of Markdown files as a tenant's articles."""

from __future__ import annotations

import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
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
from knowledge.sources.folders import ENDINGS, Contents, look_through, printable
from knowledge.sources.importing import Outcome, Standing, import_folder, standing

POLL_SECONDS = 0.5
NAMED_WITHOUT_FILE = 5
EXPLANATION = """\
Publish a folder of Markdown files (.md, .markdown, .mdx) and its subfolders as a tenant's articles.

An article is known by the folder's name (or --source) and the file's path in it: en/returns.md and zh/returns.md are
two articles, and loading the folder again replaces only what changed. Title, category and language stand in front
matter, YAML between --- or TOML between +++; none of it is needed:
  title     else the first heading is the title
  language  en, zh, or a tag like zh-CN; else the folder's or file's name says it (zh/, returns.zh.md), else the text
  category  the shelf in the desk
  draft     true leaves the file out
Files that cannot be read are named with the reason and the others are published; then the command ends with 0, and
with 1 only when nothing could be read."""


class Command(BaseCommand):
    """Safe to repeat: only changed files become new versions."""

    help = EXPLANATION

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.formatter_class = RawDescriptionHelpFormatter
        return parser

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", help="slug of the tenant")
        parser.add_argument("path", type=Path, help="folder of Markdown files")
        parser.add_argument(
            "--source", default="", help="what the articles are known by with their paths; the folder's name by default"
        )
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
        source = _source(options["source"] or folder.resolve().name)
        contents = look_through(folder)
        outcomes = self._import(tenant, source, contents, is_quiet=options["verbosity"] == 0)
        if options["verbosity"] > 0:
            self.stdout.write(_summary(outcomes))
            self.stdout.write(
                _exists_now(tenant, source, standing(tenant_id=tenant.id, source=source, contents=contents))
            )
        if sum(outcomes.values()) == outcomes[Outcome.BAD]:
            raise CommandError(f"No article could be read from {folder}.")
        if options["wait"] > 0 and not self._wait_for_vectors(tenant, options["wait"]):
            self.stderr.write(
                "Vectors are still missing; the articles are found by their words until the worker is done."
            )

    def _import(self, tenant: Tenant, source: str, contents: Contents, *, is_quiet: bool) -> Counter[Outcome]:
        outcomes: Counter[Outcome] = Counter()
        with _progress(is_quiet=is_quiet) as progress:
            task = progress.add_task(f"Articles of {tenant.slug}", total=len(contents.files) + len(contents.refused))
            for result in import_folder(tenant_id=tenant.id, source=source, contents=contents):
                outcomes[result.outcome] += 1
                path = printable(result.path)
                if result.outcome is Outcome.BAD:
                    self.stderr.write(f"Skipped {path}: {result.reason}.")
                elif result.outcome is Outcome.REPLACED and not is_quiet:
                    self.stderr.write(f"Changed {path}: version {result.number} is what customers get now.")
                elif result.outcome is Outcome.EDITED and not is_quiet:
                    self.stderr.write(f"Kept {path} as it was edited in the desk; the file has not changed since.")
                progress.advance(task)
        if contents.others and not is_quiet:
            self.stderr.write(_not_read(contents.others))
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


def _source(name: str) -> str:
    source = " ".join(name.split())
    if not source.isprintable() or len(source) > 60:
        raise CommandError("The folder's name has more than 60 characters or odd ones; name a short --source.")
    return source


def _not_read(others: Counter[str]) -> str:
    counts = ", ".join(f"{number} {printable(ending)}" for ending, number in sorted(others.items()))
    return f"Not read: {counts}. Articles are files that end in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}."


def _summary(outcomes: Counter[Outcome]) -> str:
    published = outcomes[Outcome.PUBLISHED] + outcomes[Outcome.REPLACED]
    parts = [f"{published} published", f"{outcomes[Outcome.UNCHANGED]} unchanged"]
    if outcomes[Outcome.EDITED]:
        parts.append(f"{outcomes[Outcome.EDITED]} left as edited in the desk")
    if outcomes[Outcome.ARCHIVED]:
        parts.append(f"{outcomes[Outcome.ARCHIVED]} left archived")
    if outcomes[Outcome.BAD]:
        parts.append(f"{outcomes[Outcome.BAD]} skipped")
    return ", ".join(parts) + "."


def _exists_now(tenant: Tenant, source: str, found: Standing) -> str:
    text = f"{tenant.slug} has {found.articles} published articles now, {found.of_source} of them of {source!r}."
    if not found.without_file:
        return text
    named = ", ".join(found.without_file[:NAMED_WITHOUT_FILE]) + ", …" * (len(found.without_file) > NAMED_WITHOUT_FILE)
    return f"{text} {len(found.without_file)} of these no longer have a file: {named}. Archive them in the desk."
