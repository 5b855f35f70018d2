"""Writes of a batch: submitting and cancelling. Each is one short transaction in the tenant's scope."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from batches.errors import MAX_ERRORS, BacklogFull, BatchInvalid, LineError, TooManyItems
from batches.lines import Line, Submission
from batches.models import FED_STATES, Batch, BatchItem, BatchState, ItemState
from batches.prompts import BatchPrompt, read_parameters, read_prompt
from batches.queries import batch_by_id
from batches.queueing import enqueue_feed
from batches.settling import end_if_complete, last_finish_number
from conversations.models import Visitor
from conversations.queries import default_assistant
from conversations.replies import stop_reply
from helpdesk.errors import InvalidInput
from helpdesk.pending.marks import note
from helpdesk.pending.models import Kind
from helpdesk.permissions import Right
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.acting import needs
from helpdesk.users.models import User

ITEMS_AT_ONCE = 1000
MAX_NAME = 120


@needs(Right.MANAGE_BATCHES)
def submit_batch(
    *, tenant_id: UUID, submission: Submission, created_by: User | None = None, api_key_id: UUID | None = None
) -> Batch:
    """Check every line and store all of them, or none.

    Raises BatchInvalid with what is wrong in each line, TooManyItems, BacklogFull, or InvalidInput.
    """
    name, defaults = _name(submission.name), read_parameters(submission.defaults, member="defaults")
    prompts = _checked(submission.lines, defaults)
    with tenant_atomic(tenant_id):
        # An assistant that is missing is better said now than with every item.
        default_assistant()
        _refuse_backlog(len(prompts))
        batch: Batch = Batch.objects.create(
            name=name,
            defaults=defaults,
            item_count=len(prompts),
            visitor=Visitor.objects.create(),
            created_by=created_by,
            api_key_id=api_key_id,
        )
        BatchItem.objects.bulk_create(
            [_item(batch, position, prompt) for position, prompt in enumerate(prompts, start=1)],
            batch_size=ITEMS_AT_ONCE,
        )
        note(Kind.BATCHES)
        transaction.on_commit(enqueue_feed)
    return batch


@needs(Right.MANAGE_BATCHES)
def cancel_batch(*, tenant_id: UUID, batch_id: UUID) -> Batch:
    """Cancel what waits and stop what is in work; a batch that has ended is left alone. Raises NotFound."""
    with tenant_atomic(tenant_id):
        batch = batch_by_id(batch_id, lock=True)
        if batch.state not in FED_STATES:
            return batch
        batch.state = BatchState.CANCELLING
        batch.save(update_fields=["state"])
        # Positions keep the numbers apart and in order; gaps do no harm.
        batch.items.filter(state=ItemState.WAITING).update(
            state=ItemState.CANCELLED,
            messages=[],
            parameters={},
            finish_number=last_finish_number(batch) + F("position"),
            finished_at=timezone.now(),
        )
        for item in batch.items.filter(state=ItemState.RUNNING).select_related("reply"):
            if item.reply is not None:
                stop_reply(tenant_id=tenant_id, conversation_id=item.reply.conversation_id, reply_id=item.reply.id)
        end_if_complete(batch)
        transaction.on_commit(enqueue_feed)
        batch.refresh_from_db()
        return batch


def _checked(lines: Iterable[Line], defaults: dict[str, Any]) -> list[BatchPrompt]:
    """Every line as an item. A body of nothing but mistakes costs no more than the first hundred of them."""
    prompts: list[BatchPrompt] = []
    errors: list[LineError] = []
    taken: dict[str, int] = {}
    for line in lines:
        if len(prompts) + len(errors) == settings.BATCH_MAX_ITEMS:
            raise TooManyItems(limit=settings.BATCH_MAX_ITEMS)
        try:
            prompts.append(_read(line, defaults, taken))
        except InvalidInput as error:
            parameter = str(error.details.get("parameter", ""))
            errors.append(LineError(line.number, parameter, str(error.message)))
            if len(errors) == MAX_ERRORS:
                raise BatchInvalid(errors, stopped_at=line.number) from None
    if errors:
        raise BatchInvalid(errors)
    if not prompts:
        raise InvalidInput(_("A batch needs at least one item."))
    return prompts


def _read(line: Line, defaults: dict[str, Any], taken: dict[str, int]) -> BatchPrompt:
    """The item; `taken` are the names that it may not have, with their lines."""
    if line.broken:
        raise InvalidInput(line.broken)
    prompt = read_prompt(line.value, custom_id=str(line.number), defaults=defaults)
    first = taken.setdefault(prompt.custom_id, line.number)
    if first != line.number:
        raise InvalidInput(
            _("This “custom_id” is already used on line %(line)d. Each one must be unique.") % {"line": first},
            parameter="custom_id",
        )
    return prompt


def _item(batch: Batch, position: int, prompt: BatchPrompt) -> BatchItem:
    return BatchItem(
        batch=batch,
        position=position,
        custom_id=prompt.custom_id,
        messages=list(prompt.messages),
        parameters=prompt.parameters,
        language=prompt.language,
    )


def _refuse_backlog(count: int) -> None:
    waiting = BatchItem.objects.filter(state=ItemState.WAITING).count()
    if waiting + count > settings.BATCH_MAX_WAITING:
        raise BacklogFull(waiting=waiting, limit=settings.BATCH_MAX_WAITING)


def _name(given: object) -> str:
    if not isinstance(given, str) or len(given) > MAX_NAME or not (given.isprintable() or not given):
        raise InvalidInput(
            _("“name” must be a string of up to %(count)d printable characters.") % {"count": MAX_NAME},
            parameter="name",
        )
    return given.strip()
