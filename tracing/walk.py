"""All chained rows of a tenant in the order of the chain, with what the database knows of their sealed sections."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge
from typing import Any

from django.db.models import BinaryField, Func, QuerySet

from tracing import links
from tracing.models import (
    ChainedModel,
    DeletionKind,
    DeletionReceipt,
    KeyEvent,
    RetentionChange,
    Trace,
    TraceAccess,
    TraceAnalysis,
)

ROWS_AT_ONCE = 500
Kinds = tuple[DeletionKind, ...]
Layout = dict[str, tuple[str, Kinds]]
# Sealed column -> its digest's column, and the classes of retention that may blank it.
_WHOLE: Layout = {"sealed": ("sealed_digest", (DeletionKind.PROMPTS, DeletionKind.ANSWERS))}
_ANSWER: Layout = {"sealed": ("sealed_digest", (DeletionKind.ANSWERS,))}
_SECTIONS: Layout = _ANSWER | {"sealed_prompt": ("sealed_prompt_digest", (DeletionKind.PROMPTS,))}


def chained_rows() -> Iterator[ChainedModel]:
    """Every row with a sequence, over all tables, read in portions; payloads stay in the database, which hashes them.

    Runs inside `tenant_atomic`: the cursors live in its transaction.
    """
    rows = [
        _hashed(Trace.objects.all(), "sealed", "sealed_prompt"),
        _hashed(TraceAnalysis.objects.all(), "sealed"),
        TraceAccess.objects.filter(sequence__isnull=False),
        DeletionReceipt.objects.all(),
        KeyEvent.objects.all(),
        RetentionChange.objects.all(),
    ]
    iterators = [each.order_by("sequence").iterator(chunk_size=ROWS_AT_ONCE) for each in rows]
    return merge(*iterators, key=lambda row: row.sequence)


def sections_altered(row: ChainedModel) -> bool:
    """Whether a sealed section is there and does not fit its digest."""
    return any(found not in (wanted, links.EMPTY_DIGEST) for found, wanted, _kinds in _sections(row))


def missing_sections(row: ChainedModel) -> list[Kinds]:
    """For each sealed section that is gone: the classes of retention whose receipt would explain it."""
    return [kinds for found, wanted, kinds in _sections(row) if found == links.EMPTY_DIGEST != wanted]


def _hashed(rows: QuerySet[Any], *columns: str) -> QuerySet[Any]:
    hashes = {f"{name}_found": Func(name, function="sha256", output_field=BinaryField()) for name in columns}
    hashed: QuerySet[Any] = rows.defer(*columns).annotate(**hashes)
    return hashed


def _sections(row: ChainedModel) -> Iterator[tuple[bytes, bytes, Kinds]]:
    for name, (digest_name, kinds) in _layout(row).items():
        yield bytes(getattr(row, f"{name}_found")), bytes(getattr(row, digest_name)), kinds


def _layout(row: ChainedModel) -> Layout:
    if isinstance(row, Trace):
        return _WHOLE if row.format == 1 else _SECTIONS
    return _ANSWER if isinstance(row, TraceAnalysis) else {}
