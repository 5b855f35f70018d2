"""Fixtures that every test may use; the services come from tests/services.py."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.test import TransactionTestCase, override_settings
from django.utils import translation
from psycopg import sql
from xdist.scheduler import LoadScopeScheduling

from helpdesk.embedded.postgres import Postgres
from helpdesk.embedded.valkey import Valkey
from tests import services

ROOT = Path(__file__).resolve().parent.parent
NEED_ENGINE = ("tests/e2e/", "tests/engine/test_vllm_engine.py")
SLOW = ("tests/engine/", "tests/integration/embedded/faults/")
NEED_ARGON2 = "tests/integration/users/"
# The engine shares the machine with the other test processes, and threads that wait for each other would not get on.
os.environ.setdefault("OMP_NUM_THREADS", "1")
MADE_BY_MIGRATIONS = {"django_migrations", "django_content_type", "auth_permission", "django_site"}


def _piece(nodeid: str) -> str:
    """What goes to one process as a whole: a file, or everything that loads the real engine."""
    file = nodeid.partition("::")[0]
    return NEED_ENGINE[0] if file.startswith(NEED_ENGINE) else file


class Sharing(LoadScopeScheduling):  # type: ignore[misc]
    """How several test processes share the tests out."""

    def _split_scope(self, nodeid: str) -> str:
        return _piece(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Sharing:
    """Of one engine and many files."""
    return Sharing(config, log)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None]:
    """The longest first, so that no process is left with them at the end."""
    yield
    items.sort(key=lambda item: 0 if item.nodeid.startswith(NEED_ENGINE) else 1 if item.nodeid.startswith(SLOW) else 2)


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: pytest.FixtureRequest) -> Iterator[None]:
    """Migrate as the owner, in a process of its own; the tests' own connection stays the restricted role's."""
    owner = os.environ["DATABASE_OWNER_URL"]
    environment = os.environ | {"DATABASE_URL": owner}
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0", "--skip-checks"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    with psycopg.connect(services.superuser_url, autocommit=True) as connection:
        # Without foreign keys and triggers, rows go in any order, and from tables that only grow.
        connection.execute("SET session_replication_role = replica")
        emptying = _statement_that_empties(connection)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(TransactionTestCase, "_fixture_teardown", lambda case: connection.execute(emptying))
            yield


def _statement_that_empties(connection: psycopg.Connection) -> bytes:
    """All rows of all tables but Django's own: flush, which truncates every table and makes permissions anew, takes half a
    second where this takes a few milliseconds."""
    tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    statements = [
        sql.SQL("DELETE FROM {}").format(sql.Identifier(table))
        for (table,) in tables
        if table not in MADE_BY_MIGRATIONS
    ]
    return sql.SQL("; ").join(statements).as_bytes(connection)


@pytest.fixture(autouse=True)
def quick_password_hasher(request: pytest.FixtureRequest) -> Iterator[None]:
    """Argon2 takes its time on purpose; only the tests of sign-in itself need it."""
    if request.node.nodeid.startswith(NEED_ARGON2):
        yield
    else:
        with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
            yield


@pytest.fixture(autouse=True)
def own_anchors() -> Iterator[None]:
    """Every test begins with an empty database, so that the anchors of the one before would miss its chains."""
    with override_settings(ANCHORS=str(services.folder / f"anchors-{uuid.uuid4()}.jsonl")):
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
