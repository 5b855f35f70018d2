"""The Celery application. Queues: `inference` (workers that hold the desk's first model), `inference.<name>` (those
that hold another) and `default` (everything else)."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import worker_init
from kombu import Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")

INFERENCE_QUEUE = "inference"
DEFAULT_QUEUE = "default"

# Redis has no message priorities of its own: Celery keeps one list for each step, the lowest number first.
PRIORITY_INTERACTIVE = 0
PRIORITY_BACKGROUND = 9


def inference_queue(alias: str = "") -> str:
    """The queue of the workers that serve the model of that name; empty means the desk's first model."""
    return f"{INFERENCE_QUEUE}.{alias}" if alias else INFERENCE_QUEUE


app = Celery("glassdesk")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    task_queues=[Queue(DEFAULT_QUEUE), Queue(INFERENCE_QUEUE)],
    task_default_queue=DEFAULT_QUEUE,
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    task_default_priority=PRIORITY_INTERACTIVE,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options={
        "priority_steps": [PRIORITY_INTERACTIVE, PRIORITY_BACKGROUND],
        "queue_order_strategy": "priority",
        "global_keyprefix": "glassdesk:celery:",
        "socket_timeout": None,
        "socket_keepalive": True,
        "retry_on_timeout": True,
    },
    beat_schedule={
        "sweep-replies": {"task": "conversations.sweep_replies", "schedule": 5.0, "options": {"expires": 5}},
        "sweep-analyses": {"task": "tracing.sweep_analyses", "schedule": 60.0, "options": {"expires": 60}},
        "sweep-embeddings": {"task": "knowledge.sweep_embeddings", "schedule": 30.0, "options": {"expires": 30}},
        "apply-retention": {"task": "tracing.apply_retention", "schedule": 3600.0, "options": {"expires": 3600}},
    },
)


@worker_init.connect
def check_before_serving(**_: Any) -> None:
    """A worker with an unsafe role or without a key does not start."""
    from django.conf import settings

    from helpdesk.startup import refuse_unsafe_start

    if settings.STARTUP_CHECKS:
        refuse_unsafe_start()


@worker_init.connect
def connect_metrics(**_: Any) -> None:
    """Let a worker of several processes serve its counts."""
    from helpdesk.metrics import prefork

    prefork.connect()


app.autodiscover_tasks(["conversations", "knowledge", "tracing", "inference_worker"])
