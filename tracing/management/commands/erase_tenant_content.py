"""`manage.py erase_tenant_content TENANT --yes`: make all of a tenant's traces unreadable for good."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from helpdesk.crypto import SealError
from helpdesk.errors import GlassdeskError
from helpdesk.tenants.scope import tenant_atomic
from tracing.erase import erase_tenant_content
from tracing.management.commands.erase_customer import summary
from tracing.management.tenants import named_tenant


class Command(BaseCommand):
    """Destroys every content key of the tenant; its chain still verifies."""

    help = "Destroy all keys of a tenant's traces. This can't be undone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", help="the tenant's slug")
        parser.add_argument("--yes", action="store_true", help="required, since nothing brings the content back")

    def handle(self, *args: Any, tenant: str, yes: bool, **options: Any) -> None:
        found = named_tenant(tenant)
        if not yes:
            raise CommandError(f"This makes every trace of {tenant} permanently unreadable. Run it again with --yes.")
        try:
            with tenant_atomic(found.id):
                erasure = erase_tenant_content()
        except GlassdeskError as error:
            raise CommandError(str(error.message)) from None
        except SealError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(summary(erasure))
        if erasure.opens:
            raise CommandError("Some traces still open: the erasure failed.")
