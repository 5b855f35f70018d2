"""`manage.py rebuild_reports [TENANT]`: add up the figures of every day anew."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from helpdesk.errors import NotFound
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.queries import tenant_by_slug
from reports.adding_up import rebuild


class Command(BaseCommand):
    """Safe to repeat, and to run while the desk is used."""

    help = "Add up the figures of the reports anew, of one company or of all. What was deleted meanwhile does not count any more."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", nargs="?", default="", help="slug of the company; all without it")

    def handle(self, *args: Any, **options: Any) -> None:
        slug: str = options["tenant"]
        try:
            tenants = [tenant_by_slug(slug)] if slug else list(Tenant.objects.order_by("slug"))
        except NotFound:
            raise CommandError(f"There is no company {slug}.") from None
        for tenant in tenants:
            days = sum(1 for _ in rebuild(tenant.id))
            self.stdout.write(f"{tenant.slug}: {days} days")
