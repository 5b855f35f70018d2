"""The feeder: keeps a bounded number of batch items in work, in turns between tenants, and settles what has ended.

An item in work is an ordinary conversation with an ordinary reply, so that it takes the path of every answer and
leaves one trace. The reply is made in the transaction that marks the item as running: whatever dies afterwards, the
item is neither lost nor made twice, and the sweep of replies sends a lost task again.
"""

from __future__ import annotations

from collections import Counter
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count
from django.utils import timezone

from batches.models import FED_STATES, OPEN_STATES, Batch, BatchItem, BatchState, ItemState
from batches.queries import has_open_batches
from batches.settling import settle_items
from batches.turns import Standing, share_slots
from conversations.inbound import from_batch
from conversations.intake import receive
from conversations.models import Assistant, Author
from conversations.parameters import RequestParameters
from conversations.queries import default_assistant
from helpdesk.errors import GlassdeskError
from helpdesk.pending.marks import forget_if_done, tenants_with
from helpdesk.pending.models import Kind
from helpdesk.tenants.scope import current_tenant_id, tenant_atomic

logger = structlog.get_logger(__name__)

# Names the lock of the one feeder among the database's advisory locks.
FEEDER_LOCK = 7_301_442_019_335_801
AUTHORS = {"user": Author.CUSTOMER, "assistant": Author.AI}


def feed() -> int:
    """Settle what has ended and begin as many items as there are free slots; returns how many began.

    A second feeder at the same time does nothing.
    """
    noted = tenants_with(Kind.BATCHES)
    if not noted:
        return 0
    with transaction.atomic():
        if not _is_only_feeder():
            return 0
        standings = [standing for each in noted for standing in _standings(each.tenant_id)]
        begun = _begin(standings)
    at_work = {standing.tenant_id for standing in standings}
    for each in noted:
        if each.tenant_id not in at_work or len(each.marks) > 1:
            forget_if_done(each, has_open=has_open_batches)
    return begun


def _is_only_feeder() -> bool:
    """Whether this transaction is the one that feeds: with two, each would fill the slots that the other fills."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [FEEDER_LOCK])
        return bool(cursor.fetchone()[0])


def _standings(tenant_id: UUID) -> list[Standing]:
    """The tenant's open batches, once what has ended is settled."""
    with tenant_atomic(tenant_id):
        settle_items()
        batches = list(Batch.objects.filter(state__in=OPEN_STATES))
        counts: Counter[tuple[UUID, str]] = Counter()
        rows = BatchItem.objects.filter(batch__in=batches, state__in=[ItemState.WAITING, ItemState.RUNNING])
        for batch_id, state, count in rows.order_by().values_list("batch_id", "state").annotate(Count("id")):
            counts[batch_id, state] = count
        return [
            Standing(
                tenant_id=tenant_id,
                batch_id=batch.id,
                waiting=counts[batch.id, ItemState.WAITING] if batch.state in FED_STATES else 0,
                running=counts[batch.id, ItemState.RUNNING],
                fed_at=batch.fed_at,
            )
            for batch in batches
        ]


def _begin(standings: list[Standing]) -> int:
    slots = settings.BATCH_IN_FLIGHT - sum(each.running for each in standings)
    tenants = {each.batch_id: each.tenant_id for each in standings}
    begun = 0
    for batch_id, count in share_slots(standings, slots=slots).items():
        try:
            with tenant_atomic(tenants[batch_id]):
                begun += begin_items(batch_id, count)
        except GlassdeskError as error:
            # One tenant's trouble, such as a desk without an assistant, stops no other.
            logger.error("batch_not_fed", batch_id=str(batch_id), code=error.code)
    return begun


def begin_items(batch_id: UUID, count: int) -> int:
    """Begin the batch's next items in the caller's tenant scope; returns how many. A cancelled batch begins none."""
    batch: Batch | None = Batch.objects.select_for_update(no_key=True).filter(id=batch_id, state__in=FED_STATES).first()
    if batch is None:
        return 0
    waiting = batch.items.select_for_update(skip_locked=True).filter(state=ItemState.WAITING).order_by("position")
    items, assistant = list(waiting[:count]), default_assistant()
    for item in items:
        _begin_item(batch, item, assistant)
    Batch.objects.filter(id=batch.id).update(state=BatchState.RUNNING, fed_at=timezone.now())
    return len(items)


def _begin_item(batch: Batch, item: BatchItem, assistant: Assistant) -> None:
    posted = receive(
        from_batch(
            tenant_id=current_tenant_id(),
            visitor_id=batch.visitor_id,
            assistant=assistant,
            turns=[(AUTHORS[message["role"]], message["content"]) for message in item.messages],
            language=item.language,
            parameters=RequestParameters.from_json({**batch.defaults, **item.parameters}),
        )
    )
    item.state, item.reply, item.messages, item.parameters = ItemState.RUNNING, posted.reply, [], {}
    item.save(update_fields=["state", "reply", "messages", "parameters"])
