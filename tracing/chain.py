"""The one way into a tenant's chain. Whoever locks key rows or traces as well takes the chain's lock first."""

from __future__ import annotations

from typing import TypeVar

import structlog
from django.db import transaction

from helpdesk.pending.marks import note
from helpdesk.pending.models import Kind
from tracing import links
from tracing.keys import active_key
from tracing.models import ChainedModel, ChainHead, KeyEvent, KeyEventKind, KeyPurpose
from tracing.state import present_state

Row = TypeVar("Row", bound=ChainedModel)
UNPROVEN = b""

logger = structlog.get_logger(__name__)


def append_to_chain(row: Row) -> Row:
    """Give the new row its place and link at the end of its tenant's chain and insert it; returns it.

    Runs inside the caller's transaction, which holds the chain's lock until it ends. Raises SealError without the
    chain's key.
    """
    with transaction.atomic():
        key = active_key(KeyPurpose.CHAIN)[1]
        head = locked_head()
        if is_head(key, head, label=links.HEAD_BEFORE_STATE):
            _note_state(key, head)
        _append(key, head, row)
        return row


def begin_chain() -> ChainHead:
    """The tenant's chain, with what stands beside it noted: begun here, or taken over from an older version of the desk."""
    with transaction.atomic():
        key = active_key(KeyPurpose.CHAIN)[1]
        head = locked_head()
        if is_head(key, head, label=links.HEAD_BEFORE_STATE):
            _note_state(key, head)
        return head


def locked_head() -> ChainHead:
    """The end of the tenant's chain, locked until the transaction ends; made when there is none."""
    heads = ChainHead.objects.select_for_update(no_key=True)
    head: ChainHead | None = heads.first()
    if head is None:
        key = active_key(KeyPurpose.CHAIN)[1]
        mac = links.head_mac(key, sequence=0, chain=links.GENESIS)
        ChainHead.objects.bulk_create([ChainHead(chain=links.GENESIS, mac=mac)], ignore_conflicts=True)
        note(Kind.ANCHORS)
        head = heads.get()
        if head.sequence == 0:
            _note_state(key, head)
    return head


def is_head(key: bytes, head: ChainHead, *, label: bytes = links.HEAD) -> bool:
    """Whether the desk wrote this end, of that kind."""
    return links.head_mac(key, sequence=head.sequence, chain=bytes(head.chain), label=label) == bytes(head.mac)


def prove_head() -> ChainHead:
    """Take the end as it stands for genuine from now on: for an operator who has looked into it."""
    with transaction.atomic():
        key = active_key(KeyPurpose.CHAIN)[1]
        head = locked_head()
        head.mac = links.head_mac(key, sequence=head.sequence, chain=bytes(head.chain))
        head.save(update_fields=["mac"])
        return head


def _note_state(key: bytes, head: ChainHead) -> None:
    """Once for each chain: what stands beside it already."""
    head.mac = links.head_mac(key, sequence=head.sequence, chain=bytes(head.chain))
    head.save(update_fields=["mac"])
    state = present_state()
    # While an older version of the desk still ends its work beside this one, it writes ends of its kind.
    if state.is_something() and not KeyEvent.objects.filter(kind=KeyEventKind.STATE_NOTED).exists():
        _append(key, head, KeyEvent(kind=KeyEventKind.STATE_NOTED, figures=state.to_json()))


def _append(key: bytes, head: ChainHead, row: ChainedModel) -> None:
    is_genuine = is_head(key, head)
    row.sequence = head.sequence + 1
    row.chain = links.link(key, row, previous=bytes(head.chain))
    row.save(force_insert=True)
    note(Kind.ANCHORS)
    head.sequence, head.chain = row.sequence, row.chain
    if is_genuine:
        head.mac = links.head_mac(key, sequence=head.sequence, chain=bytes(head.chain))
    else:
        # Going on from an end that somebody put there must not make it genuine.
        head.mac = UNPROVEN
        logger.error("chain_head_altered", tenant_id=str(row.tenant_id), sequence=row.sequence)
    head.save(update_fields=["sequence", "chain", "mac"])
