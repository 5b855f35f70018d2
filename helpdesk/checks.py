"""Start-up checks: refuse to run with a role, a policy, a key or a library that would break a promise."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

from helpdesk.api import patches as api_patches
from helpdesk.crypto import SealError
from helpdesk.master_keys import check_master_key
from helpdesk.queue.patches import KOMBU
from helpdesk.tenants import patches as tenants_patches
from helpdesk.tenants.models import TenantModel


@register(Tags.security)
def check_secrets(**_: Any) -> list[CheckMessage]:
    """Secrets must be set and sound."""
    problems: list[CheckMessage] = []
    try:
        check_master_key()
    except SealError as error:
        hint = (
            "A desk that was started with GLASSDESK_DATA is found by commands that are given the same GLASSDESK_DATA."
        )
        problems.append(Error(str(error), hint=hint, id="glassdesk.E001"))
    if not settings.DEBUG and settings.SECRET_KEY == "insecure-development-key":  # noqa: S105
        problems.append(Error("Set GLASSDESK_SECRET_KEY or GLASSDESK_SECRET_KEY_FILE.", id="glassdesk.E002"))
    return problems


@register(Tags.security)
def check_libraries(**_: Any) -> list[CheckMessage]:
    """What every process reaches into has to be a version that was tried."""
    sentences = [library.untested_version() for library in (KOMBU, *api_patches.LIBRARIES, *tenants_patches.LIBRARIES)]
    return [Error(sentence, id="glassdesk.E006") for sentence in sentences if sentence]


@register(Tags.database)
def check_database_role(databases: Any = None, **_: Any) -> list[CheckMessage]:
    """The application's role must be subject to row-level security, and every tenant table must have it."""
    problems: list[CheckMessage] = []
    for alias in databases or []:
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT rolsuper OR rolbypassrls, current_user FROM pg_roles WHERE rolname = current_user")
            (exempt, role) = cursor.fetchone() or (True, "?")
            if exempt:
                problems.append(
                    Error(
                        f"The database role {role} bypasses row-level security; use the restricted role.",
                        id="glassdesk.E003",
                    )
                )
            cursor.execute(
                "SELECT c.relname, pg_has_role(current_user, c.relowner, 'USAGE'), c.relrowsecurity AND c.relforcerowsecurity "
                "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relkind = 'r'"
            )
            problems += _table_problems({name: (owned, isolated) for name, owned, isolated in cursor.fetchall()}, role)
    return problems


def _table_problems(tables: dict[str, tuple[bool, bool]], role: str) -> list[CheckMessage]:
    problems: list[CheckMessage] = []
    for model in apps.get_models():
        state = tables.get(model._meta.db_table)
        if state is None or not issubclass(model, TenantModel):
            continue
        owned, isolated = state
        if owned:
            problems.append(Error(f"The database role {role} owns {model._meta.db_table}.", id="glassdesk.E004"))
        if not isolated:
            problems.append(Error(f"{model._meta.db_table} has no forced row-level security.", id="glassdesk.E005"))
    return problems
