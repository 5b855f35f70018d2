"""The inference worker's tasks: they parse ids and call one function each."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task
from django.db import connections

from conversations.queueing import ANSWER_REPLY
from inference_worker.runtime import runtime
from knowledge.queueing import EMBED_CHUNKS
from tracing.queueing import RUN_ANALYSIS


# Acknowledged at the end: with one message for each thread a worker fetches none ahead, and what it has not fetched still
# stands in the queue, behind whoever comes with a lower priority. A task that is delivered twice finds its reply claimed.
@shared_task(name=ANSWER_REPLY, acks_late=True)
def answer_reply(*, tenant_id: str, reply_id: str) -> None:
    """Write one reply."""
    from inference_worker.reply import answer

    try:
        answer(runtime(), tenant_id=UUID(tenant_id), reply_id=UUID(reply_id))
    finally:
        # A thread of the pool would keep its connection until its next task, and idle threads starve busy ones.
        connections.close_all()


@shared_task(name=EMBED_CHUNKS)
def embed_chunks(*, tenant_id: str, version_id: str) -> None:
    """Note that an article version needs vectors; they are computed when nobody waits for an answer."""
    runtime().embed_later(tenant_id=UUID(tenant_id), version_id=UUID(version_id))


@shared_task(name=RUN_ANALYSIS)
def run_analysis(*, tenant_id: str, job_id: str) -> None:
    """Note that an answer is to be analysed; it is done when nobody waits for one."""
    runtime().analyse_later(tenant_id=UUID(tenant_id), job_id=UUID(job_id))
