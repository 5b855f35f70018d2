"""`manage.py create_company SLUG --name NAME --contact EMAIL --owner EMAIL --site https://…`: a desk for a new company."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from helpdesk.errors import GlassdeskError
from helpdesk.operations.companies import create_company
from helpdesk.operations.management.commands.invite_person import add_address, hand_over
from helpdesk.permissions import Role
from helpdesk.tenants.models import Language
from helpdesk.users.invitations import invite


class Command(BaseCommand):
    """Everything or nothing; says what to do next."""

    help = "Create a company with its assistant and owner, and print the widget snippet for its website."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="its short name in addresses, like shop or green-tea")
        parser.add_argument("--name", required=True, help="as customers know it")
        parser.add_argument("--name-zh", default="", help="as Chinese customers know it, where that differs")
        parser.add_argument(
            "--contact", required=True, metavar="EMAIL", help="offered to customers when nobody is there"
        )
        parser.add_argument("--owner", required=True, metavar="EMAIL", help="the first person to sign in")
        parser.add_argument("--owner-name", default="", help="what the owner is called")
        parser.add_argument(
            "--language", choices=Language.values, default=Language.ENGLISH, help="unless one is asked for"
        )
        parser.add_argument(
            "--assistant", default="", help="what the assistant is called; the company's name unless given"
        )
        parser.add_argument(
            "--site", action="append", default=[], metavar="ORIGIN", help="a website that shows the widget; repeatable"
        )
        add_address(parser)

    def handle(self, *args: Any, slug: str, **options: Any) -> None:
        address = options["address"].rstrip("/")
        try:
            with transaction.atomic():
                tenant = create_company(
                    slug=slug,
                    name=options["name"],
                    name_zh=options["name_zh"],
                    contact_email=options["contact"],
                    language=options["language"],
                    assistant=options["assistant"],
                    sites=options["site"],
                )
                owner = invite(tenant, email=options["owner"], name=options["owner_name"], role=Role.OWNER)
                how = hand_over(tenant, owner, address)
        except GlassdeskError as error:
            raise CommandError(str(error.message)) from None
        self.stdout.write(f"{tenant.name} has a desk: {address}/desk/{tenant.slug}/")
        self.stdout.write(how)
        self.stdout.write(
            "Articles come in with `manage.py load_knowledge`, or are written in the desk. On the website goes:"
        )
        self.stdout.write(
            f'  <script src="{address}/static/widget/loader.js" data-tenant="{tenant.slug}" async></script>'
        )
        if not tenant.allowed_origins:
            self.stdout.write("No website may show it yet: name them with `manage.py widget_sites`.")
