"""Writing anchors for tenants whose chain has moved since the last one. Runs outside any transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import structlog
from django.utils import timezone

from helpdesk.crypto import SealError
from helpdesk.pending.marks import forget_if_done, note, tenants_with, thin_out
from helpdesk.pending.models import Kind
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from tracing.anchors import (
    ANCHOR,
    RESTORED,
    Anchor,
    AnchorsRefused,
    anchors_file,
    locked_file,
    put_aside,
    write_anchors,
)
from tracing.chain import begin_chain, is_head, prove_head
from tracing.keys import active_key
from tracing.models import ChainHead, KeyPurpose

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Head:
    """A tenant's end: with what the database knows of its anchors."""

    tenant: UUID
    sequence: int
    chain: str
    anchored: int | None
    line: int
    is_genuine: bool

    @property
    def has_moved(self) -> bool:
        return self.sequence != self.anchored


def anchor_chains() -> int:
    """Anchor every chain that has moved; returns how many. One tenant's trouble stops no other; the file's stops all, and is
    logged."""
    path = anchors_file()
    if path is None:
        return 0
    try:
        with locked_file(path):
            return _anchor(path)
    except (AnchorsRefused, SealError, OSError) as error:
        logger.error("anchors_not_written", error=type(error).__name__, reason=str(error))
        return 0


def anchor_noted_chains() -> int:
    """Like `anchor_chains`, and costs one statement while no chain has moved since."""
    if anchors_file() is None:
        thin_out(Kind.ANCHORS)
        return 0
    noted = tenants_with(Kind.ANCHORS)
    if not noted:
        return 0
    # All of them: the line that any chain was anchored at last says whether the file is whole.
    moved = anchor_chains()
    for each in noted:
        forget_if_done(each, has_open=is_behind)
    return moved


def is_behind() -> bool:
    """Whether the chain of the tenant in scope has moved since its anchor, or needs a look for another reason."""
    if anchors_file() is None:
        return False
    head: ChainHead | None = ChainHead.objects.first()
    try:
        return head is None or head.sequence != head.anchored or not is_head(active_key(KeyPurpose.CHAIN)[1], head)
    except SealError:
        return True


def accept_restore(tenant_id: UUID) -> int | None:
    """Note that an operator put this tenant's chain back to where it stands; returns that. None when anchors are off.

    Raises SealError, AnchorsRefused, OSError.
    """
    path = anchors_file()
    if path is None:
        return None
    with locked_file(path):
        with tenant_atomic(tenant_id):
            head = prove_head()
        line = max((each.line for each in _heads()), default=0)
        restored = Anchor(RESTORED, tenant_id, head.sequence, bytes(head.chain).hex(), timezone.now())
        number = write_anchors(path, [restored], known_lines=line)
        _remember(tenant_id, head.sequence, number)
    logger.warning("chain_restored", tenant_id=str(tenant_id), sequence=head.sequence)
    return head.sequence


def begin_new_file() -> Path | None:
    """Put the file aside and begin a new one with every chain as it stands. Raises SealError or OSError."""
    path = anchors_file()
    if path is None:
        return None
    with locked_file(path):
        aside = put_aside(path)
        for tenant_id in _tenant_ids():
            with tenant_atomic(tenant_id):
                ChainHead.objects.update(anchored=None, anchor_line=0)
                note(Kind.ANCHORS)
        logger.warning("anchors_begun_anew", aside=aside.name if aside else None)
        _anchor(path)
    return aside


def _anchor(path: Path) -> int:
    heads = _heads()
    moved = [head for head in heads if head.has_moved and head.is_genuine]
    if not moved:
        return 0
    now = timezone.now()
    anchors = [Anchor(ANCHOR, head.tenant, head.sequence, head.chain, now) for head in moved]
    last = write_anchors(path, anchors, known_lines=max(head.line for head in heads))
    for number, head in zip(range(last - len(moved) + 1, last + 1), moved, strict=True):
        _remember(head.tenant, head.sequence, number)
        # Whoever collects logs elsewhere has a copy of the anchors there.
        logger.info("chain_anchored", tenant_id=str(head.tenant), sequence=head.sequence, chain=head.chain, line=number)
    return len(moved)


def _remember(tenant_id: UUID, sequence: int, line: int) -> None:
    with tenant_atomic(tenant_id):
        ChainHead.objects.filter(anchor_line__lt=line).update(anchored=sequence, anchor_line=line)


def _heads() -> list[_Head]:
    found = []
    for tenant_id in _tenant_ids():
        try:
            with tenant_atomic(tenant_id):
                found.append(_head(tenant_id))
        except SealError as error:
            logger.error("chain_not_anchored", tenant_id=str(tenant_id), reason=str(error))
    return found


def _head(tenant_id: UUID) -> _Head:
    key = active_key(KeyPurpose.CHAIN)[1]
    head: ChainHead | None = ChainHead.objects.first()
    if head is None or not is_head(key, head):
        # Begun here, or taken over from an older version of the desk.
        head = begin_chain()
    is_genuine = is_head(key, head)
    if not is_genuine:
        logger.error("chain_head_altered", tenant_id=str(tenant_id), sequence=head.sequence)
    chain = bytes(head.chain).hex()
    return _Head(tenant_id, head.sequence, chain, head.anchored, head.anchor_line, is_genuine)


def _tenant_ids() -> Iterable[UUID]:
    return list(Tenant.objects.order_by("id").values_list("id", flat=True))
