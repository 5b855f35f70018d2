"""The one way into a tenant's chain. Whoever locks key rows or traces as well takes the chain's lock first."""

from __future__ import annotations

from typing import TypeVar

from django.db import transaction

from tracing import links
from tracing.keys import active_key
from tracing.models import ChainedModel, ChainHead, KeyPurpose

Row = TypeVar("Row", bound=ChainedModel)


def append_to_chain(row: Row) -> Row:
    """Give the new row its place and link at the end of its tenant's chain and insert it; returns it.

    Runs inside the caller's transaction, which holds the chain's lock until it ends. Raises SealError without the
    chain's key.
    """
    with transaction.atomic():
        key = active_key(KeyPurpose.CHAIN)[1]
        head = locked_head()
        row.sequence = head.sequence + 1
        row.chain = links.link(key, row, previous=bytes(head.chain))
        row.save(force_insert=True)
        head.sequence, head.chain = row.sequence, row.chain
        head.mac = links.head_mac(key, sequence=head.sequence, chain=bytes(head.chain))
        head.save(update_fields=["sequence", "chain", "mac"])
        return row


def locked_head() -> ChainHead:
    """The end of the tenant's chain, locked until the transaction ends; made when there is none."""
    heads = ChainHead.objects.select_for_update(no_key=True)
    head: ChainHead | None = heads.first()
    if head is None:
        key = active_key(KeyPurpose.CHAIN)[1]
        mac = links.head_mac(key, sequence=0, chain=links.GENESIS)
        ChainHead.objects.bulk_create([ChainHead(chain=links.GENESIS, mac=mac)], ignore_conflicts=True)
        head = heads.get()
    return head
