"""A real Celery worker in this process: real broker, threads pool, the scripted engine behind the real contract."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from celery.contrib.testing.worker import start_worker

from conversations.models import Assistant
from helpdesk.queue.celery import INFERENCE_QUEUE, app
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from inference_worker.engine.scripted import ScriptedEngine
from inference_worker.runtime import Runtime, runtime
from knowledge.domain import publish_article, save_article
from knowledge.models import Chunk
from tests.factories import make_tenant

DELIVERY = """Mossgate sends parcels on weekdays.

## Delivery times

Standard delivery takes three to five working days. Express delivery takes one working day and costs nine euros.

## Returns

Customers may return unused pots within thirty days. Mossgate refunds the purchase price within five working days.
"""


# Vectors of hashed words lie far below a real model's cosines, and so do the gate's scores of them.
GATE = {"threshold": {"en": 2e-26, "zh": 0.5}}


@pytest.fixture(scope="package")
def started_worker(django_db_setup: None) -> Iterator[Runtime]:
    """One inference worker for this folder: it would claim the replies of other tests."""
    import inference_worker.worker  # noqa: F401 - adds the engine's bootstep to the app

    with start_worker(
        app, pool="threads", concurrency=12, perform_ping_check=False, queues=[INFERENCE_QUEUE], shutdown_timeout=30
    ):
        yield runtime()


@pytest.fixture
def worker(started_worker: Runtime, transactional_db: None) -> Iterator[Runtime]:
    """The inference worker, warm; at the end it is let finish, since its transactions would block the next test's flush."""
    assert started_worker.host.wait_ready(30)
    yield started_worker
    wait_for(lambda: started_worker.is_idle)


@pytest.fixture
def engine(worker: Runtime) -> Iterator[ScriptedEngine]:
    """The worker's engine, for delays and faults; as new at the beginning and the end."""
    engine = worker.host.engine
    assert isinstance(engine, ScriptedEngine)
    engine.requests.clear()
    engine.aborted.clear()
    engine.delay = 0.0
    sequences = engine.max_num_seqs
    yield engine
    engine.delay = 0.0
    engine.max_num_seqs = sequences


@pytest.fixture
def shop(worker: Runtime) -> Tenant:
    """A tenant with one published and embedded article."""
    tenant = make_tenant("mossgate-test", name="Mossgate")
    with tenant_atomic(tenant.id):
        Assistant.objects.update(refusal_gate=GATE)
    publish(tenant, "Delivery and returns", DELIVERY)
    return tenant


def publish(tenant: Tenant, title: str, body: str, language: str = "en") -> None:
    """Publish an article and wait until the worker has embedded it."""
    version = save_article(tenant_id=tenant.id, title=title, body=body, language=language)
    publish_article(tenant_id=tenant.id, article_id=version.article_id)

    def embedded() -> bool:
        with tenant_atomic(tenant.id):
            chunks = Chunk.objects.filter(version=version)
            return chunks.exists() and not chunks.filter(embedding__isnull=True).exists()

    wait_for(embedded)


def wait_for(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Poll until the condition holds; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.02)
