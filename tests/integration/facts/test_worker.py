"""The relay in a real worker with a real beat."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.test import override_settings

from helpdesk.facts.kinds import FactKind
from helpdesk.facts.models import Fact, Setback
from helpdesk.facts.recording import record
from helpdesk.queue.celery import KEY_PREFIX
from helpdesk.streams.writer import client
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from tests.conftest import ROOT
from tests.factories import make_tenant
from tests.integration.facts.listeners import brought

pytestmark = pytest.mark.django_db(transaction=True)
WAIT_SECONDS = 50
NAMES = ("hanging", "sound")


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """It finds no tasks of other tests, and takes its children with it."""
    for key in [*client().scan_iter(f"{KEY_PREFIX}*"), *map(brought, NAMES)]:
        client().delete(key)
    command = [sys.executable, "-m", "tests.integration.facts.working", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, env=os.environ, start_new_session=True) as process:
        yield process
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def wait_until(is_so: Callable[[], bool], worker: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not is_so():
        assert worker.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)


def make_fact(tenant: Tenant) -> str:
    with tenant_atomic(tenant.id):
        return str(record(FactKind.STATUS_CHANGED, conversation_id=uuid.uuid4()).id)


def brought_to(name: str) -> list[str]:
    return [raw.decode() for raw in client().lrange(brought(name), 0, -1)]


def setbacks(tenant: Tenant) -> dict[str, tuple[str, str]]:
    with tenant_atomic(tenant.id):
        rows = Setback.objects.values_list("fact_id", "subscriber", "error")
        return {str(fact_id): (subscriber, error) for fact_id, subscriber, error in rows}


@override_settings(FACT_SUBSCRIBERS="tests.integration.facts.listeners.HANGING")
def test_a_subscriber_that_hangs_is_cut_and_holds_up_nobody_else(worker: subprocess.Popen[bytes]) -> None:
    tenant = make_tenant()
    first = make_fact(tenant)
    wait_until(lambda: brought_to("hanging") == [first] and brought_to("sound") == [first], worker)
    second = make_fact(tenant)
    wait_until(lambda: brought_to("sound") == [first, second], worker)
    wait_until(lambda: first in setbacks(tenant), worker)
    assert setbacks(tenant)[first] == ("hanging", "SoftTimeLimitExceeded")
    wait_until(lambda: second in brought_to("hanging"), worker)
    with tenant_atomic(tenant.id):
        assert {tuple(fact.owed) for fact in Fact.objects.all()} == {("hanging",)}
