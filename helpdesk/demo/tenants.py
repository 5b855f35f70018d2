"""The two demo companies and the people who can sign in to their desks."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from helpdesk.permissions import Role

# Demo content only: everybody who runs the demo knows it, and the server listens on the loopback address.
DEMO_PASSWORD = "glassdesk-demo"  # noqa: S105


@dataclass(frozen=True, slots=True)
class DemoTenant:
    """A fictional company."""

    slug: str
    name: str
    name_zh: str
    assistant: str

    @property
    def contact_email(self) -> str:
        return f"help@{self.slug}.example"


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """A person who signs in as `<role>@<tenant>.example`."""

    name: str
    role: Role

    @property
    def key(self) -> str:
        """What stands before the @."""
        return self.role.value

    def email(self, slug: str) -> str:
        """The address in one company."""
        return f"{self.key}@{slug}.example"


DEMO_TENANTS = (
    DemoTenant("mossgate", "Mossgate", "苔门园艺", "Moss"),
    DemoTenant("ledgerleaf", "Ledgerleaf", "叶账", "Leaf"),
)
DEMO_PEOPLE = (
    DemoPerson("Olive Owner", Role.OWNER),
    DemoPerson("Amir Admin", Role.ADMIN),
    DemoPerson("Eddie Editor", Role.EDITOR),
    DemoPerson("Rita Reviewer", Role.REVIEWER),
    DemoPerson("Ana Agent", Role.AGENT),
    DemoPerson("Vera Viewer", Role.VIEWER),
)


def demo_tenants() -> tuple[DemoTenant, ...]:
    """Those that are to be there. Raises ImproperlyConfigured for a name that is none of theirs."""
    known = {tenant.slug: tenant for tenant in DEMO_TENANTS}
    if unknown := [slug for slug in settings.DEMO_COMPANIES if slug not in known]:
        raise ImproperlyConfigured(
            f"GLASSDESK_DEMO must name some of {', '.join(known)}, or nothing; {', '.join(unknown)} is none of them."
        )
    return tuple(known[slug] for slug in settings.DEMO_COMPANIES)
