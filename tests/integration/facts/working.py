"""A real worker with its own beat for the relay alone: `python -m tests.integration.facts.working FOLDER`.

Its subscribers are `listeners.HANGING`, and a delivery may take three seconds instead of twenty.
"""

from __future__ import annotations

import sys
from pathlib import Path

import django


def main(folder: Path) -> None:
    from django.conf import settings

    from helpdesk.facts.tasks import relay_to_subscriber
    from helpdesk.queue.celery import DEFAULT_QUEUE, app
    from tests.integration.facts.listeners import SOFT_LIMIT_SECONDS

    settings.FACT_SUBSCRIBERS = "tests.integration.facts.listeners.HANGING"
    relay_to_subscriber.soft_time_limit = SOFT_LIMIT_SECONDS
    relay_to_subscriber.time_limit = SOFT_LIMIT_SECONDS + 10
    # They read the schedule that is replaced here.
    app.loader.import_default_modules()
    app.conf.beat_schedule = {"relay-facts": app.conf.beat_schedule["relay-facts"]}
    options = ["--queues", DEFAULT_QUEUE, "--concurrency", "2", "--loglevel", "WARNING", "--without-gossip"]
    app.worker_main(["worker", "--beat", "--schedule", str(folder / "beat"), *options])


if __name__ == "__main__":
    django.setup()
    main(Path(sys.argv[1]))
