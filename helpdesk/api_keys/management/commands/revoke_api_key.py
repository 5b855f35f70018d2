"""`manage.py revoke_api_key TENANT PREFIX`: end a key for good."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from helpdesk.api_keys.domain import revoke_key
from helpdesk.api_keys.models import ApiKey
from helpdesk.errors import GlassdeskError, NotFound
from helpdesk.tenants.queries import tenant_by_slug
from helpdesk.tenants.scope import tenant_atomic


class Command(BaseCommand):
    """Takes the prefix, so that nobody has to type a secret."""

    help = "Revoke an API key of a tenant by its prefix."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", help="the tenant's slug")
        parser.add_argument("prefix", help="the key's second part, as `api_keys` lists it")

    def handle(self, *args: Any, tenant: str, prefix: str, **options: Any) -> None:
        try:
            tenant_id = tenant_by_slug(tenant).id
        except NotFound:
            raise CommandError(f"There is no tenant {tenant}.") from None
        with tenant_atomic(tenant_id):
            key_id = ApiKey.objects.filter(prefix=prefix).values_list("id", flat=True).first()
        if key_id is None:
            raise CommandError(f"{tenant} has no key {prefix}. `manage.py api_keys {tenant}` lists them.")
        try:
            revoke_key(tenant_id=tenant_id, key_id=key_id)
        except GlassdeskError as error:
            raise CommandError(str(error.message)) from None
        self.stdout.write(f"{prefix} is revoked.")
