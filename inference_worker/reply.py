"""The life of one answer in the worker: claim the reply, have it written, and end it visibly whatever happens."""

from __future__ import annotations

import time
from uuid import UUID

import structlog
from django.conf import settings
from django.db import DatabaseError

from conversations.failures import FailureCode
from conversations.models import Conversation, ConversationStatus, ReplyStatus
from conversations.replies import ClaimedReply, ReplyLost, TakenOver, claim_reply, fail_reply, release_reply
from helpdesk.crypto import SealError
from helpdesk.queue.celery import inference_queue
from helpdesk.tenants.scope import tenant_atomic
from inference_worker.answering.endings import DeadlinePassed, Stopped, Watch, WorkerStopping
from inference_worker.answering.means import AnswerSettings, Means
from inference_worker.answering.pipeline import write
from inference_worker.answering.reply_stream import ReplyStream
from inference_worker.answering.steps import Steps
from inference_worker.answering.stopping import StopSignal
from inference_worker.engine.contract import EngineError, PromptTooLong, RequestRefused
from inference_worker.runtime import Runtime

logger = structlog.get_logger(__name__)

READY_POLL_SECONDS = 0.5
RETRY_SECONDS = 1.0


def answer(runtime: Runtime, *, tenant_id: UUID, reply_id: UUID) -> None:
    """Claim the reply, write it, store it. Every way out leaves it done, failed visibly, or back in the queue."""
    if not _engine_is_ready(runtime):
        # The reply stays queued; the sweep sends its task again.
        return
    claimed = claim_reply(tenant_id=tenant_id, reply_id=reply_id, worker=runtime.name)
    if claimed is None:
        return
    attempt = claimed.reply.attempt
    log = logger.bind(reply_id=str(reply_id), tenant_id=str(tenant_id), attempt=attempt)
    is_unhurried = claimed.reply.is_unhurried
    with runtime.writing(tenant_id=tenant_id, reply_id=reply_id, attempt=attempt, is_unhurried=is_unhurried) as stop:
        try:
            write(claimed, _means(runtime, claimed, stop))
        except Stopped:
            _end_stopped(claimed)
            log.info("reply_stopped")
        except WorkerStopping:
            log.info("reply_given_back")
        except TakenOver:
            _fail(claimed, FailureCode.SUPERSEDED)
            log.info("reply_superseded")
        except ReplyLost:
            # Given back to the queue or ended by the sweep: failing it here would take it from whoever writes it next.
            log.info("reply_lost")
        except DeadlinePassed:
            _fail(claimed, FailureCode.DEADLINE)
            log.warning("reply_deadline_passed")
        except SealError as error:
            _fail(claimed, FailureCode.SEALING)
            log.error("reply_not_sealed", reason=str(error))
        except DatabaseError as error:
            # Its text may quote a row; the lease runs out and the sweep gives the reply back.
            log.error("reply_database_away", error=type(error).__name__)
        except EngineError as error:
            if error.retryable:
                runtime.host.suspect()
            _after_engine_error(claimed, error)
            log.warning("reply_engine_error", kind=type(error).__name__, retryable=error.retryable)


def _means(runtime: Runtime, claimed: ClaimedReply, stop: StopSignal) -> Means:
    """What this worker gives the stages of one answer."""
    reply = claimed.reply
    return Means(
        model=runtime.host,
        embedder=runtime.embedder,
        reranker=runtime.reranker,
        pace=runtime.pace,
        settings=AnswerSettings(
            cache_seconds=settings.ANSWER_CACHE_SECONDS,
            secret_key=settings.SECRET_KEY.encode(),
            analysis_queue=inference_queue(settings.MODEL_NAME) if settings.AUTOMATIC_ATTRIBUTION else None,
            rerank_milliseconds=settings.RERANK_MILLISECONDS,
            translation_seconds=settings.TRANSLATION_SECONDS,
        ),
        steps=Steps(),
        stream=ReplyStream(
            tenant_id=claimed.tenant_id,
            conversation_id=reply.conversation_id,
            reply_id=reply.id,
            attempt=reply.attempt,
            interval=settings.DELTA_INTERVAL_SECONDS,
        ),
        watch=Watch(stop=stop, deadline_at=reply.deadline_at, is_stopping=lambda: runtime.stopping),
    )


def _engine_is_ready(runtime: Runtime) -> bool:
    """Wait for an engine that is being restarted; an attempt must not be spent on it."""
    give_up_at = time.monotonic() + settings.REPLY_DEADLINE_SECONDS
    while not runtime.host.wait_ready(READY_POLL_SECONDS):
        if runtime.stopping or time.monotonic() > give_up_at:
            return False
    return True


def _fail(claimed: ClaimedReply, code: FailureCode) -> None:
    """End it, unless it was given back to the queue meanwhile: it is not this worker's then."""
    fail_reply(
        tenant_id=claimed.tenant_id,
        reply_id=claimed.reply.id,
        attempt=claimed.reply.attempt,
        code=code,
        statuses=[ReplyStatus.RUNNING],
    )


def _end_stopped(claimed: ClaimedReply) -> None:
    """Nothing was written that could be kept; the customer learns whether a person answers now."""
    with tenant_atomic(claimed.tenant_id):
        conversation = Conversation.objects.get(id=claimed.conversation.id)
    _fail(claimed, FailureCode.SUPERSEDED if conversation.status == ConversationStatus.PERSON else FailureCode.STOPPED)


def _after_engine_error(claimed: ClaimedReply, error: EngineError) -> None:
    """A passing fault is tried once more after a pause, with the attempts that are left."""
    reply = claimed.reply
    delay = RETRY_SECONDS * 2 ** (reply.attempt - 1)
    if error.retryable and release_reply(
        tenant_id=claimed.tenant_id, reply_id=reply.id, attempt=reply.attempt, delay=delay
    ):
        return
    _fail(claimed, _failure_code(error))


def _failure_code(error: EngineError) -> FailureCode:
    match error:
        case PromptTooLong():
            return FailureCode.CONTEXT_LENGTH
        case RequestRefused():
            return FailureCode.REFUSED_REQUEST
    return FailureCode.ENGINE
