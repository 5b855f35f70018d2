"""A pytest plugin, loaded before Django's settings are read: embedded PostgreSQL and Valkey for the whole run.

Tests run as the restricted database role, like the product.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from helpdesk.embedded.postgres import Postgres
from helpdesk.embedded.valkey import Valkey

MASTER_KEY = "dGVzdHMtb25seS1tYXN0ZXIta2V5LTMyLWJ5dGVzISE="

folder = Path(tempfile.mkdtemp(prefix="glassdesk-tests-"))
postgres = Postgres(folder / "postgres", fast=True)
valkey = Valkey(folder / "valkey", fast=True)
superuser_url = ""


def _start_services() -> None:
    """Start both before settings are read, since they name the URLs."""
    global superuser_url  # noqa: PLW0603
    # WhiteNoise warns of a missing one.
    (folder / "static").mkdir(exist_ok=True)
    urls = postgres.start()
    superuser_url = urls.superuser
    os.environ |= {
        "GLASSDESK_DATA": str(folder),
        "DATABASE_URL": urls.app,
        "DATABASE_OWNER_URL": urls.owner,
        "REDIS_URL": valkey.start(),
        "GLASSDESK_MASTER_KEY": MASTER_KEY,
        # Importing the ASGI application must not need a migrated database here; tests call the checks themselves.
        "GLASSDESK_STARTUP_CHECKS": "0",
        "GLASSDESK_SECRET_KEY": "tests-only-secret-key-0123456789-0123456789-0123456789",
        # Background work of one test must not reach into the next; tests of it ask for it.
        "GLASSDESK_AUTOMATIC_ATTRIBUTION": "0",
        # The same question must be answered anew unless a test is about its not being.
        "GLASSDESK_ANSWER_CACHE_TTL": "0",
        "GLASSDESK_RERANKER": "packaged",
        "GLASSDESK_ENGINE": os.environ.get("GLASSDESK_ENGINE", "scripted"),
    }


_start_services()


def pytest_unconfigure() -> None:
    """Stop the services and remove their data."""
    valkey.stop()
    postgres.stop()
    shutil.rmtree(folder, ignore_errors=True)
