"""`manage.py widget_sites COMPANY [ORIGIN …]`: the websites that may show a company's widget."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from helpdesk.errors import GlassdeskError
from helpdesk.operations.companies import allow_sites
from helpdesk.tenants.queries import tenant_by_slug


class Command(BaseCommand):
    """Without an origin it lists them; those that are named replace the ones before."""

    help = "List the websites that may show a company's widget, or name them anew (`--none`: no website any more)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("company", help="its slug")
        parser.add_argument("sites", nargs="*", metavar="ORIGIN", help="like https://shop.example")
        parser.add_argument("--none", action="store_true", help="take it from all websites")

    def handle(self, *args: Any, company: str, sites: list[str], none: bool, **options: Any) -> None:
        if none and sites:
            raise CommandError("Name websites or say --none, not both.")
        try:
            tenant = tenant_by_slug(company)
            if sites or none:
                allow_sites(tenant, sites)
        except GlassdeskError as error:
            raise CommandError(str(error.message)) from None
        if tenant.allowed_origins:
            self.stdout.write("\n".join(tenant.allowed_origins))
        else:
            self.stdout.write("No website may show the widget yet.")
