"""What every Celery worker does before it takes its first task; named in the application's `include`."""

from __future__ import annotations

from typing import Any

from celery.signals import worker_init
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError

from helpdesk.metrics import prefork
from helpdesk.startup import refuse_unsafe_start


@worker_init.connect
def check_before_serving(**_: Any) -> None:
    """A worker with an unsafe role, without a key or with an untested library does not start.

    Celery logs the exceptions of a signal's receivers and goes on; only an exit ends it.
    """
    if not settings.STARTUP_CHECKS:
        return
    try:
        refuse_unsafe_start()
    except ImproperlyConfigured as error:
        raise SystemExit(str(error)) from error
    except DatabaseError as error:
        raise SystemExit(f"Glassdesk does not start without its database: {error}") from error


@worker_init.connect
def connect_metrics(**_: Any) -> None:
    """Let a worker of several processes serve its counts."""
    prefork.connect()
