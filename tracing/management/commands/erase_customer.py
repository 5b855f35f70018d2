"""`manage.py erase_customer TENANT VISITOR_ID`: make one customer's traces unreadable for good."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q

from conversations.models import Visitor
from helpdesk.crypto import SealError
from helpdesk.errors import GlassdeskError
from helpdesk.tenants.scope import tenant_atomic
from tracing.erase import Erasure, erase_customer, traces_of_format_1
from tracing.management.tenants import named_tenant


class Command(BaseCommand):
    """Destroys the customer's keys, tries to open what they sealed, and leaves a receipt in the chain."""

    help = "Destroy the keys of one customer's traces. This can't be undone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", help="the tenant's slug")
        parser.add_argument("visitor", type=UUID, help="the visitor's id, or that of a conversation of theirs")

    def handle(self, *args: Any, tenant: str, visitor: UUID, **options: Any) -> None:
        try:
            with tenant_atomic(named_tenant(tenant).id):
                row = Visitor.objects.filter(Q(id=visitor) | Q(conversations__id=visitor)).first()
                if row is None:
                    raise CommandError(f"There is no visitor and no conversation {visitor} of {tenant}.")
                erasure, left = erase_customer(row), traces_of_format_1(row)
        except GlassdeskError as error:
            raise CommandError(str(error.message)) from None
        except SealError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(summary(erasure))
        if left:
            self.stdout.write(
                f"{left} older traces were sealed under a key of the whole tenant and still open; "
                "only retention or erase_tenant_content removes them."
            )
        if erasure.opens:
            raise CommandError("Some traces still open: the erasure failed.")


def summary(erasure: Erasure) -> str:
    """What was destroyed, and the proof."""
    return (
        f"{erasure.keys} keys destroyed, {erasure.traces} traces unreadable; "
        f"opens: {erasure.opens} of {erasure.tried}; receipt #{erasure.receipt.sequence}"
    )
