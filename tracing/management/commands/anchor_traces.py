"""`manage.py anchor_traces [--restored TENANT | --new-file]`: say outside the database how far each chain has come."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from helpdesk.crypto import SealError
from tracing.anchoring import accept_restore, anchor_chains, begin_new_file
from tracing.anchors import AnchorsRefused, anchors_file
from tracing.management.tenants import named_tenant


class Command(BaseCommand):
    """The desk does it by itself every five minutes; by hand it is for restored backups and lost files."""

    help = "Write anchors of every tenant's chain now."

    def add_arguments(self, parser: ArgumentParser) -> None:
        choice = parser.add_mutually_exclusive_group()
        choice.add_argument(
            "--restored", metavar="TENANT", help="the chain of this tenant is shorter because a backup was put back"
        )
        choice.add_argument(
            "--new-file", action="store_true", help="put the file aside and begin a new one, for a file that was lost"
        )

    def handle(self, *args: Any, restored: str | None = None, new_file: bool = False, **options: Any) -> None:
        if anchors_file() is None:
            raise CommandError("Anchors are switched off: GLASSDESK_ANCHORS is empty.")
        try:
            if restored:
                sequence = accept_restore(named_tenant(restored).id)
                self.stdout.write(f"{restored}: goes on from #{sequence}; every check will say so.")
            elif new_file:
                aside = begin_new_file()
                self.stdout.write(f"A new file has begun. {f'The one before is {aside}.' if aside else ''}".strip())
            else:
                self.stdout.write(f"{anchor_chains()} chains had moved and were anchored.")
        except (AnchorsRefused, SealError) as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"{anchors_file()} cannot be written: {error.strerror}.") from None
