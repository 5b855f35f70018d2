"""`manage.py load_demo`: the demo tenants with their people and articles. Running it again changes nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from conversations.models import Assistant
from helpdesk.demo.tenants import DEMO_PASSWORD, DEMO_PEOPLE, DemoTenant, demo_tenants
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.models import Membership, User

CONTENT = Path(__file__).resolve().parents[2] / "content"


class Command(BaseCommand):
    """Loads the demo companies that GLASSDESK_DEMO names."""

    help = "Load the demo tenants with their people and articles (idempotent)."

    def handle(self, *args: Any, **options: Any) -> None:
        for demo in demo_tenants():
            tenant = self._tenant(demo)
            self._people(tenant)
            call_command("load_knowledge", demo.slug, str(CONTENT / demo.slug), verbosity=options["verbosity"])

    def _tenant(self, demo: DemoTenant) -> Tenant:
        tenant, _ = Tenant.objects.get_or_create(
            slug=demo.slug,
            defaults={"name": demo.name, "name_zh": demo.name_zh, "contact_email": demo.contact_email},
        )
        questions = json.loads((CONTENT / demo.slug / "questions.json").read_text(encoding="utf-8"))
        with tenant_atomic(tenant.id):
            Assistant.objects.get_or_create(
                is_default=True, defaults={"name": demo.assistant, "suggestions": questions["suggestions"]}
            )
        return tenant

    def _people(self, tenant: Tenant) -> None:
        for person in DEMO_PEOPLE:
            email = person.email(tenant.slug)
            user = User.objects.filter(email=email).first() or User.objects.create_user(
                email, DEMO_PASSWORD, name=person.name
            )
            with tenant_atomic(tenant.id):
                Membership.objects.get_or_create(user=user, defaults={"role": person.role})
