"""`manage.py facts`: what could not be delivered, and trying it again once the cause is mended."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from helpdesk.errors import GlassdeskError
from helpdesk.facts.parked import owe_again, parked
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.queries import tenant_by_slug
from helpdesk.tenants.scope import tenant_atomic


class Command(BaseCommand):
    """Lists parked facts of all companies or of one; with --again the relay delivers them anew."""

    help = "List facts that a subscriber failed to process, or deliver them again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("company", nargs="?", help="slug of one company; all by default")
        parser.add_argument("--subscriber", help="of this subscriber only")
        parser.add_argument("--again", action="store_true", help="deliver them again, within some seconds")

    def handle(self, *args: Any, company: str | None, subscriber: str | None, again: bool, **options: Any) -> None:
        try:
            tenants = [tenant_by_slug(company)] if company else list(Tenant.objects.order_by("slug"))
        except GlassdeskError as error:
            raise CommandError(str(error.message)) from None
        count = sum(self._show(tenant, subscriber, again=again) for tenant in tenants)
        self.stdout.write(f"{count} {'to be delivered again' if again else 'parked'}.")

    def _show(self, tenant: Tenant, subscriber: str | None, *, again: bool) -> int:
        with tenant_atomic(tenant.id):
            rows = list(parked().filter(subscriber=subscriber) if subscriber else parked())
            for setback in rows:
                self.stdout.write(
                    f"{tenant.slug}  {setback.fact.kind} {setback.fact_id}  {setback.subscriber}: {setback.error}, "
                    f"parked {setback.parked_at:%Y-%m-%d %H:%M} after {setback.failures} tries"
                )
                if again:
                    owe_again(setback)
        return len(rows)
