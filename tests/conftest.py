"""Fixtures that every test may use; the services come from tests/services.py."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.utils import translation

from helpdesk.embedded.postgres import Postgres
from helpdesk.embedded.valkey import Valkey
from tests import services

ROOT = Path(__file__).resolve().parent.parent
NEED_ENGINE = ("engine", "e2e")
SLOW = ("faults", "embedded")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What several processes share out: whole files, and as one piece whatever loads the real engine; the longest first."""
    for item in items:
        needs_engine = item.path.relative_to(ROOT / "tests").parts[0] in NEED_ENGINE
        item.add_marker(pytest.mark.xdist_group("engine" if needs_engine else str(item.path)))
    items.sort(key=lambda item: 0 if item.path.parts[-2] in NEED_ENGINE else 1 if item.path.parts[-2] in SLOW else 2)


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: pytest.FixtureRequest) -> Iterator[None]:
    """Migrate as the owner, in a process of its own; the tests' own connection stays the restricted role's."""
    owner = os.environ["DATABASE_OWNER_URL"]
    environment = os.environ | {"DATABASE_URL": owner}
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0", "--skip-checks"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    with psycopg.connect(owner, autocommit=True) as connection:
        # TransactionTestCase empties tables between tests; the product's role has no such right.
        connection.execute("GRANT TRUNCATE ON ALL TABLES IN SCHEMA public TO glassdesk_app")
    yield


@pytest.fixture(autouse=True)
def own_language() -> Iterator[None]:
    """A page that one test reads in Chinese must not leave its language to the next test."""
    yield
    translation.deactivate()


@pytest.fixture(scope="session")
def services_folder() -> Path:
    """Where the tests' PostgreSQL and Valkey keep their files."""
    return services.folder


@pytest.fixture(scope="session")
def postgres_server() -> Postgres:
    """The tests' PostgreSQL."""
    return services.postgres


@pytest.fixture(scope="session")
def valkey_server() -> Valkey:
    """The tests' Valkey."""
    return services.valkey


@pytest.fixture(scope="session")
def owner_url() -> str:
    """The URL of the tables' owner, for tampering and inspection."""
    return os.environ["DATABASE_OWNER_URL"]
