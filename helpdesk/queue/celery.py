"""The Celery application. Queues: `inference` (workers that hold the desk's first model), `inference.<name>` (those
that hold another) and `default` (everything else)."""

from __future__ import annotations

import os
from bisect import bisect_right

from celery import Celery
from kombu import Queue

from helpdesk.queue.broker import survive_lost_connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")

INFERENCE_QUEUE = "inference"
DEFAULT_QUEUE = "default"

# Redis has no message priorities of its own: Celery keeps one list for each step, the lowest number first. What it calls a
# task's priority is called the step here.
STEP_INTERACTIVE = 0
STEP_BACKGROUND = 9
# The first priority of each step (conversations.admission gives replies their priorities). Few steps: a worker asks for all lists
# at once. Within a step the order is that of arrival; the engine then orders by the priority itself.
STEP_OF_PRIORITY = {0: 0, 1: 1, 4: 2, 20: 3, 50: 6, 100: STEP_BACKGROUND}
# From this priority on a reply is over its company's share: that many are in flight already, or nobody looks on.
FIRST_OVER_SHARE = 4
KEY_PREFIX = "glassdesk:celery:"
# How long a process that only sends waits for the broker.
SENDING_SECONDS = 5.0


def inference_queue(alias: str = "") -> str:
    """The queue of the workers that serve the model of that name; empty means the desk's first model."""
    return f"{INFERENCE_QUEUE}.{alias}" if alias else INFERENCE_QUEUE


survive_lost_connections()
# What a worker does before it serves is imported by workers only.
app = Celery("glassdesk", include=["helpdesk.worker_start"])
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    task_queues=[Queue(DEFAULT_QUEUE), Queue(INFERENCE_QUEUE)],
    task_default_queue=DEFAULT_QUEUE,
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    task_default_priority=STEP_INTERACTIVE,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options={
        "priority_steps": list(STEP_OF_PRIORITY.values()),
        "queue_order_strategy": "priority",
        "global_keyprefix": KEY_PREFIX,
        "socket_timeout": None,
        "socket_keepalive": True,
        "retry_on_timeout": True,
    },
    beat_schedule={
        "sweep-replies": {"task": "conversations.sweep_replies", "schedule": 5.0, "options": {"expires": 5}},
        "raise-alarms": {"task": "conversations.raise_alarms", "schedule": 10.0, "options": {"expires": 10}},
        "wake-snoozed": {"task": "conversations.wake_snoozed", "schedule": 15.0, "options": {"expires": 15}},
        "sweep-analyses": {"task": "tracing.sweep_analyses", "schedule": 60.0, "options": {"expires": 60}},
        "sweep-embeddings": {"task": "knowledge.sweep_embeddings", "schedule": 30.0, "options": {"expires": 30}},
        "rewrite-passages": {"task": "knowledge.rewrite_passages", "schedule": 60.0, "options": {"expires": 60}},
        "relay-facts": {"task": "facts.relay", "schedule": 1.0, "options": {"expires": 5}},
        "forget-facts": {"task": "facts.forget_delivered", "schedule": 3600.0, "options": {"expires": 3600}},
        "feed-batches": {"task": "batches.feed", "schedule": 1.0, "options": {"expires": 5}},
        "forget-idempotent-requests": {
            "task": "api.forget_idempotent_requests",
            "schedule": 3600.0,
            "options": {"expires": 3600},
        },
        "sample-answers": {"task": "reviews.sample_answers", "schedule": 60.0, "options": {"expires": 60}},
        "check-open-work": {"task": "operations.check_open_work", "schedule": 60.0, "options": {"expires": 60}},
        "anchor-chains": {"task": "tracing.anchor_chains", "schedule": 300.0, "options": {"expires": 300}},
        "apply-retention": {"task": "tracing.apply_retention", "schedule": 3600.0, "options": {"expires": 3600}},
    },
)


def bound_sending() -> None:
    """Of a process that sends tasks and fetches none: a broker that hangs costs it SENDING_SECONDS, and the sweeps send the task.

    A worker waits at the broker for its next task, for as long as it takes.
    """
    app.conf.broker_transport_options |= {"socket_timeout": SENDING_SECONDS, "retry_on_timeout": False}


def first_steps() -> tuple[int, ...]:
    """The priority steps of replies that are not over-share."""
    return tuple(step for priority, step in STEP_OF_PRIORITY.items() if priority < FIRST_OVER_SHARE)


def step_of_priority(priority: int) -> int:
    """The step of a reply of that priority."""
    firsts = list(STEP_OF_PRIORITY)
    return STEP_OF_PRIORITY[firsts[bisect_right(firsts, priority) - 1]]


app.autodiscover_tasks(
    [
        "helpdesk.api",
        "helpdesk.facts",
        "helpdesk.operations",
        "helpdesk.users",
        "conversations",
        "knowledge",
        "tracing",
        "batches",
        "reviews",
        "inference_worker",
    ]
)
