"""From a trace's row back to its content, in both formats, also when a section was deleted meanwhile.

No right is asked and nothing is logged here: `tracing.read` is the door.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from helpdesk.crypto import SealError
from tracing.content import DeletedSection, TraceContent
from tracing.keys import stored_key, unwrapped
from tracing.links import EMPTY_DIGEST
from tracing.models import DeletionKind, DeletionReceipt, Trace
from tracing.plain import Malformed
from tracing.sealing import ANSWER_FIELD, CONTENT_FIELD, PROMPT_FIELD, associated_data, unseal_bytes, unseal_content
from tracing.sections import Sections, join, kept_columns


def content_of(trace: Trace) -> TraceContent:
    """The content. Raises SealError when the key was destroyed, is not at hand, or the bytes were altered.

    The trace must come from the database in this scope. A section that a retention receipt covers is empty.
    """
    key = unwrapped(stored_key(trace.key_id))
    if trace.format == 1:
        return _whole(trace, key)
    sections = Sections(
        _section(trace, key, bytes(trace.sealed_prompt), bytes(trace.sealed_prompt_digest), PROMPT_FIELD),
        _section(trace, key, bytes(trace.sealed), bytes(trace.sealed_digest), ANSWER_FIELD),
    )
    return _joined(trace, sections)


def deleted_sections(trace: Trace) -> tuple[DeletedSection, ...]:
    """Which classes of this trace's content a receipt covers, and since when."""
    receipts = DeletionReceipt.objects.filter(
        kind__in=[DeletionKind.PROMPTS, DeletionKind.ANSWERS],
        first_sequence__lte=trace.sequence,
        last_sequence__gte=trace.sequence,
    ).order_by("sequence")
    found: dict[str, datetime] = {}
    for receipt in receipts:
        if any(first <= trace.sequence <= last for first, last, _link in receipt.runs):
            found.setdefault(receipt.kind, receipt.at)
    return tuple(DeletedSection(kind, at) for kind, at in found.items())


def _whole(trace: Trace, key: bytes) -> TraceContent:
    """Format 1 has one section for both classes."""
    if is_blank(trace.sealed, trace.sealed_digest):
        return _joined(trace, Sections(None, None))
    return unseal_content(key, bytes(trace.sealed), _place(trace, CONTENT_FIELD))


def is_blank(sealed: bytes | memoryview, sealed_digest: bytes | memoryview) -> bool:
    """Whether a section was there once and is gone."""
    return not bytes(sealed) and bytes(sealed_digest) != EMPTY_DIGEST


def _section(trace: Trace, key: bytes, sealed: bytes, sealed_digest: bytes, field: str) -> bytes | None:
    return None if is_blank(sealed, sealed_digest) else unseal_bytes(key, sealed, _place(trace, field))


def _joined(trace: Trace, sections: Sections) -> TraceContent:
    kept = kept_columns(style=trace.style, language=trace.language, band=trace.confidence_band, steps=list(trace.steps))
    try:
        content = join(sections, kept=kept)
    except Malformed:
        raise SealError("The sealed content was opened but has an unknown format.") from None
    if None not in (sections.prompt, sections.answer):
        return content
    return replace(content, deleted=_explained(trace, sections))


def _explained(trace: Trace, sections: Sections) -> tuple[DeletedSection, ...]:
    """A section that is gone needs a receipt; without one it was altered."""
    deleted = deleted_sections(trace)
    kinds = {section.kind for section in deleted}
    if trace.format == 1 and deleted:
        return tuple(DeletedSection(kind.value, deleted[0].at) for kind in (DeletionKind.PROMPTS, DeletionKind.ANSWERS))
    prompt_gone = sections.prompt is None and DeletionKind.PROMPTS not in kinds
    answer_gone = sections.answer is None and DeletionKind.ANSWERS not in kinds
    if prompt_gone or answer_gone:
        raise SealError("A sealed section is gone without a receipt.")
    return deleted


def _place(trace: Trace, field: str) -> bytes:
    return associated_data(tenant_id=trace.tenant_id, trace_id=trace.id, field=field, version=trace.format)
