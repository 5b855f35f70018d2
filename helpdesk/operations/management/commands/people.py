"""`manage.py people COMPANY`: who belongs to it and who is invited."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from helpdesk.errors import GlassdeskError
from helpdesk.operations import companies
from helpdesk.operations.companies import members_of, open_invitations, remove_person
from helpdesk.tenants.queries import tenant_by_slug


class Command(BaseCommand):
    """Lists people, and takes one out."""

    help = "List a company's members and open invitations, or remove somebody from both."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("company", help="its slug")
        parser.add_argument("--remove", metavar="EMAIL", help="end this person's membership and invitation")

        parser.add_argument(
            "--reset-second-step",
            metavar="EMAIL",
            help="forget this member's authenticator apps, keys and recovery codes",
        )

        parser.add_argument("--unlock", metavar="EMAIL", help="forget this member's wrong passwords and codes")

    def handle(
        self,
        *args: Any,
        company: str,
        remove: str | None,
        reset_second_step: str | None = None,
        unlock: str | None = None,
        **options: Any,
    ) -> None:
        try:
            tenant = tenant_by_slug(company)
            if remove:
                remove_person(tenant, email=remove)
            if reset_second_step:
                companies.reset_second_step(tenant, email=reset_second_step)
            if unlock:
                companies.unlock_person(tenant, email=unlock)
        except GlassdeskError as error:
            raise CommandError(str(error.message)) from None
        for membership in members_of(tenant):
            person = membership.user
            state = "" if person.is_active and person.has_usable_password() else ", cannot sign in"
            self.stdout.write(f"{person.email}  {membership.role} since {membership.created_at:%Y-%m-%d}{state}")
        for invitation in open_invitations(tenant):
            self.stdout.write(
                f"{invitation.email}  invited as {invitation.role} until {invitation.expires_at:%Y-%m-%d}"
            )
