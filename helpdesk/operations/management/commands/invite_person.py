"""`manage.py invite_person COMPANY EMAIL --role ROLE`: let somebody in."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from helpdesk.errors import GlassdeskError
from helpdesk.operations.companies import Invited, invite
from helpdesk.permissions import Role
from helpdesk.tenants.queries import tenant_by_slug


class Command(BaseCommand):
    """The address of the password page goes to standard output and nowhere else."""

    help = "Make somebody a member of a company, and print where a new person chooses a password."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("company", help="its slug")
        parser.add_argument("email")
        parser.add_argument("--role", choices=[role.value for role in Role], required=True)
        parser.add_argument("--name", default="", help="what the person is called")
        add_address(parser)

    def handle(self, *args: Any, company: str, email: str, role: str, name: str, **options: Any) -> None:
        try:
            invited = invite(tenant_by_slug(company), email=email, name=name, role=Role(role))
        except GlassdeskError as error:
            raise CommandError(str(error.message)) from None
        say_how_to_sign_in(self, invited, options["address"].rstrip("/"))


def add_address(parser: ArgumentParser) -> None:
    """Where people reach this desk."""
    parser.add_argument(
        "--address", default=settings.ADDRESS, metavar="URL", help="where people reach this desk (printed only)"
    )


def say_how_to_sign_in(command: BaseCommand, invited: Invited, address: str) -> None:
    """Print it; the address opens the account once, so it goes to that person only."""
    if not invited.password_path:
        command.stdout.write(f"{invited.user.email} signs in with the password that they have: {address}/desk/")
        return
    days = settings.PASSWORD_RESET_TIMEOUT // 86_400
    command.stdout.write(f"{invited.user.email} chooses a password within {days} days here; give it to nobody else:")
    command.stdout.write(f"  {address}{invited.password_path}")
