"""The relay as tasks: beat asks every second who is owed something, and each such subscriber gets a task of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import structlog
from celery import shared_task
from kombu.exceptions import OperationalError

from helpdesk.facts.relay import forget_delivered, has_old_facts, owing_tenants, relay_to
from helpdesk.facts.subscribing import subscriber_named
from helpdesk.pending.marks import sweep
from helpdesk.pending.models import Kind
from helpdesk.queue.celery import DEFAULT_QUEUE, app
from helpdesk.streams.writer import client

logger = structlog.get_logger(__name__)

RELAY_TO = "facts.relay_to"
# Beat finds what is still owed a second later: tasks that nobody takes must not pile up.
EXPIRES_SECONDS = 5
# A delivery that has not come back by then is a failure of the subscriber; then the process itself is ended.
SOFT_LIMIT_SECONDS, HARD_LIMIT_SECONDS = 20, 25
ALONE_KEY = "glassdesk:facts:relay:"


@shared_task(name="facts.relay")
def relay_facts() -> None:
    """Have every subscriber notified of what it has not had yet."""
    for name, tenant_ids in owing_tenants().items():
        try:
            app.send_task(
                RELAY_TO,
                kwargs={"subscriber": name, "tenant_ids": [str(each) for each in tenant_ids]},
                queue=DEFAULT_QUEUE,
                expires=EXPIRES_SECONDS,
                retry=False,
            )
        except (OperationalError, OSError) as error:
            logger.warning("relay_not_enqueued", subscriber=name, error=type(error).__name__)


@shared_task(name=RELAY_TO, soft_time_limit=SOFT_LIMIT_SECONDS, time_limit=HARD_LIMIT_SECONDS)
def relay_to_subscriber(subscriber: str, tenant_ids: list[str]) -> None:
    """Bring one subscriber what these tenants owe it, unless another process is doing so."""
    found = subscriber_named(subscriber)
    if found is None:
        return
    with _alone(subscriber) as may_relay:
        if may_relay:
            relay_to(found, [UUID(each) for each in tenant_ids])


@shared_task(name="facts.forget_delivered")
def forget_delivered_facts() -> None:
    """Delete what everybody has been notified of and is old, of those who have such."""
    deleted = sum(forget_delivered(tenant_id) for tenant_id in sweep(Kind.OLD_FACTS, has_open=has_old_facts))
    if deleted:
        logger.info("facts_forgotten", count=deleted)


@contextmanager
def _alone(subscriber: str) -> Iterator[bool]:
    """Whether this is the subscriber's only relay. Two would do no harm, but a hanging one would hold up two processes."""
    key = ALONE_KEY + subscriber
    is_alone = bool(client().set(key, b"1", nx=True, ex=HARD_LIMIT_SECONDS))
    try:
        yield is_alone
    finally:
        if is_alone:
            client().delete(key)
