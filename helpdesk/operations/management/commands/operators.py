"""`manage.py operators`: which accounts may open the operators' pages."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from helpdesk.users.models import User
from helpdesk.users.queries import account_of


class Command(BaseCommand):
    """Lists operators, and makes and unmakes them."""

    help = "List the accounts that may open the operators' pages, or add or remove one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--add", metavar="EMAIL", help="an account that is there")
        parser.add_argument("--remove", metavar="EMAIL", help="it keeps its companies")

    def handle(self, *args: Any, add: str | None = None, remove: str | None = None, **options: Any) -> None:
        for email, is_operator in ((add, True), (remove, False)):
            if email:
                account = account_of(email)
                if account is None:
                    raise CommandError(f"{email} has no account.")
                User.objects.filter(pk=account.pk).update(is_staff=is_operator)
        for email in User.objects.filter(is_staff=True).order_by("email").values_list("email", flat=True):
            self.stdout.write(email)
