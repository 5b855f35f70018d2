"""`manage.py invite_person COMPANY EMAIL --role ROLE`: let somebody in."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from helpdesk.errors import GlassdeskError
from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.queries import tenant_by_slug
from helpdesk.users.invitation_mail import send_invitation
from helpdesk.users.invitations import Invited, invite


class Command(BaseCommand):
    """The link goes to the person's mailbox; where no mail is set up, to standard output, and nowhere else."""

    help = "Offer somebody a membership of a company by a link, which ends the link of an earlier offer."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("company", help="its slug")
        parser.add_argument("email")
        parser.add_argument("--role", choices=[role.value for role in Role], required=True)
        parser.add_argument("--name", default="", help="what the person is called")
        add_address(parser)

    def handle(self, *args: Any, company: str, email: str, role: str, name: str, **options: Any) -> None:
        try:
            tenant = tenant_by_slug(company)
            with transaction.atomic():
                invited = invite(tenant, email=email, name=name, role=Role(role))
                how = hand_over(tenant, invited, options["address"].rstrip("/"))
        except GlassdeskError as error:
            raise CommandError(str(error.message)) from None
        self.stdout.write(how)


def add_address(parser: ArgumentParser) -> None:
    """Where people reach this desk."""
    parser.add_argument(
        "--address", default=settings.ADDRESS, metavar="URL", help="where people reach this desk, for the link"
    )


def hand_over(tenant: Tenant, invited: Invited, address: str) -> str:
    """Send the link, or have it printed where no mail is set up; what to tell the operator. Raises MailNotSent."""
    email, link = invited.invitation.email, f"{address}{invited.path}"
    once = f"It works once and for {settings.INVITATION_DAYS} days."
    if settings.SENDS_MAIL:
        send_invitation(tenant, invited.invitation, link)
        return f"A link is on its way to {email}. {once}"
    return f"No mail is set up here: hand this link to {email}, and to nobody else. Whoever has it can join. {once}\n  {link}"
