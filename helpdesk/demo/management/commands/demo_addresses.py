"""`manage.py demo_addresses`: where to look and how to sign in."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from helpdesk.demo.tenants import DEMO_PASSWORD, DEMO_PEOPLE, demo_tenants


class Command(BaseCommand):
    """Prints addresses and sign-ins of the demo."""

    help = "Print the demo's addresses and sign-ins."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, **options: Any) -> None:
        base = f"http://localhost:{options['port']}"
        companies = demo_tenants()
        for demo in companies:
            self.stdout.write(f"  {demo.name + ' website':<22} {base}/demo/{demo.slug}/   (?language=zh for Chinese)")
        self.stdout.write(f"  {'Desk':<22} {base}/desk/")
        if not companies:
            return
        people = ", ".join(person.key for person in DEMO_PEOPLE)
        addresses = " or ".join(f"<name>@{demo.slug}.example" for demo in companies)
        self.stdout.write(f"  {'Sign in as':<22} {addresses}")
        self.stdout.write(f"  {'':<22} names, each with the role of that name: {people}")
        self.stdout.write(f"  {'':<22} password: {DEMO_PASSWORD}")
