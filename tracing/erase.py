"""Crypto-erasure: destroying keys, so that what they sealed opens nowhere any more, also not from the same row's copies.

The sealed bytes, their digests and the chain stay. Comments on answers go too: they are what the customer wrote about
sealed content, and so does the address that they left. Conversations themselves are other rows and are not touched.
Everything runs inside `tenant_atomic`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from conversations.models import Reply, Survey, Visitor
from conversations.surveys import blank_survey_comments
from conversations.written_about import blank_written_about
from helpdesk.crypto import SealError
from helpdesk.tenants.scope import current_tenant_id
from knowledge.cached_answers import answer_index
from tracing import keys
from tracing.chain import append_to_chain, locked_head
from tracing.holds import refuse_when_held
from tracing.models import DataKey, DeletionKind, DeletionReceipt, KeyPurpose, Trace
from tracing.opening import content_of


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was destroyed. Of `tried` traces, one for each key that sealed any, `opens` still open: 0 is the proof."""

    receipt: DeletionReceipt
    keys: int
    traces: int
    opens: int
    tried: int


def erase_customer(visitor: Visitor) -> Erasure:
    """Destroy all content keys of this visitor, retired ones too. Raises HeldByLaw.

    Traces of format 1 were sealed under a key of the whole tenant and stay readable; `traces_of_format_1` counts them.
    """
    rows = DataKey.objects.filter(purpose=KeyPurpose.CONTENT, visitor_id=visitor.id)
    return _erase(rows, DeletionKind.CUSTOMER, subject=visitor.id)


def erase_tenant_content() -> Erasure:
    """Destroy every content key of the tenant in scope, and the tenant's keys above them. Raises HeldByLaw.

    The chain's and the signing key stay, so that the chain still verifies.
    """
    rows = DataKey.objects.filter(purpose__in=[KeyPurpose.CONTENT, KeyPurpose.TENANT])
    return _erase(rows, DeletionKind.TENANT, subject=None)


def traces_of_format_1(visitor: Visitor) -> int:
    """How many of the visitor's traces are older than keys of customers, so that erasing the customer misses them."""
    return int(Trace.objects.filter(conversation__visitor=visitor, format=1).exclude(sealed=b"").count())


def _erase(rows: QuerySet[DataKey], kind: DeletionKind, *, subject: UUID | None) -> Erasure:
    with transaction.atomic():
        # No key is made and no hold placed while this lock is held.
        locked_head()
        refuse_when_held(subject)
        doomed = list(rows.filter(destroyed_at__isnull=True).order_by("id").values_list("id", flat=True))
        now = timezone.now()
        DataKey.objects.filter(id__in=doomed).update(
            wrapped=b"", destroyed_at=now, retired_at=Coalesce(F("retired_at"), now)
        )
        for key_id in doomed:
            keys.cache.forget(key_id)
        replies = Reply.objects.filter(conversation__visitor_id=subject) if subject else Reply.objects.all()
        blank_written_about(replies)
        blank_survey_comments(
            Survey.objects.filter(conversation__visitor_id=subject) if subject else Survey.objects.all()
        )
        visitors = Visitor.objects.filter(id=subject) if subject else Visitor.objects.all()
        visitors.update(subject="", name="", email="", answer_email="", told={}, context={})
        receipt = append_to_chain(
            DeletionReceipt(
                kind=str(kind), subject=subject, count=len(doomed), ids_digest=_digest(doomed),
                policy={"keys": [str(key_id) for key_id in doomed]}, at=now,
            )
        )  # fmt: skip
        # What was written for an erased customer is given to nobody again.
        transaction.on_commit(partial(answer_index.forget_all, current_tenant_id()))
        traces = Trace.objects.filter(key_id__in=doomed)
        opens, tried = _try_to_open(traces)
        return Erasure(receipt, len(doomed), traces.count(), opens, tried)


def _try_to_open(traces: QuerySet[Trace]) -> tuple[int, int]:
    """How many of one trace for each key open, and how many were tried."""
    examples = traces.order_by("key_id", "-sequence").distinct("key_id")
    opens = tried = 0
    for trace in examples.iterator():
        tried += 1
        try:
            content_of(trace)
        except SealError:
            continue
        opens += 1
    return opens, tried


def _digest(ids: Sequence[Any]) -> str:
    return sha256(b"".join(each.bytes for each in ids)).hexdigest()
