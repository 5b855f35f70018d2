"""The plain columns of a trace, each described once: the chain, the exports, the API and the report read this table.

A further one is a field of `Trace` with its migration, a line and a format here, where it is filled (`tracing.record`), and its
type for the description of the API (`tracing.api.shapes`).
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tracing.models import Trace

# What is stored now. A column that joins the links, or a new shape of the sealed content, takes a new one.
FORMAT_VERSION = 4


@dataclass(frozen=True, slots=True)
class PlainColumn:
    """One column, and where it shows: in JSON (JSONL and the API), in CSV, as an attribute of OpenTelemetry, in the report.

    `since` is the format whose link covers it first, `before` what rows of earlier formats hold: as long as they hold
    that, their links are those that they were stored with.
    """

    name: str
    in_json: bool = True
    in_csv: bool = True
    attribute: str = ""
    label: str | Promise = ""
    since: int = 1
    before: object = ""


# In the order of the CSV's columns. The digests of the sealed sections are linked by themselves.
COLUMNS = (
    PlainColumn("tenant_id", in_json=False, in_csv=False),
    PlainColumn("sequence", in_json=False, attribute="glassdesk.chain.sequence"),
    PlainColumn("id", in_csv=False, attribute="glassdesk.trace.id"),
    PlainColumn("reply_id", attribute="glassdesk.reply.id"),
    PlainColumn("conversation_id", attribute="session.id"),
    PlainColumn("created_at"),
    PlainColumn("channel", attribute="glassdesk.channel", since=3),
    PlainColumn("purpose", attribute="glassdesk.purpose", label=_("Purpose"), since=4, before="answer"),
    PlainColumn("assistant_id", attribute="glassdesk.assistant.id", label=_("Assistant"), since=4, before=None),
    PlainColumn(
        "assistant_version",
        attribute="glassdesk.assistant.version",
        label=_("Assistant, version"),
        since=4,
        before=None,
    ),
    PlainColumn("variant", attribute="glassdesk.variant", label=_("Variant"), since=4),
    PlainColumn("outcome", attribute="glassdesk.outcome"),
    PlainColumn("cache", since=3),
    PlainColumn("cached_from", since=3, before=None),
    PlainColumn("saved_tokens", since=3, before=0),
    PlainColumn("kind", since=2),
    PlainColumn("style", attribute="glassdesk.style"),
    PlainColumn("language", attribute="glassdesk.language"),
    PlainColumn("model"),
    PlainColumn("quantization"),
    PlainColumn("confidence_band", attribute="glassdesk.confidence.band"),
    PlainColumn("finish_reason"),
    PlainColumn("attempt", attribute="glassdesk.attempt"),
    PlainColumn("prompt_tokens"),
    PlainColumn("cached_prompt_tokens"),
    PlainColumn("answer_tokens"),
    PlainColumn("candidate_count", attribute="glassdesk.candidates.considered"),
    PlainColumn("source_count", attribute="glassdesk.candidates.used"),
    PlainColumn("queue_ms"),
    PlainColumn("retrieve_ms"),
    PlainColumn("first_token_ms"),
    PlainColumn("total_ms"),
    PlainColumn("steps", in_csv=False),
    PlainColumn("content_bytes"),
    PlainColumn("sealed_bytes"),
    PlainColumn("format", in_json=False, in_csv=False),
    PlainColumn("key_id", in_json=False, in_csv=False),
)


def linked_columns(trace: Trace) -> list[str]:
    """Those that the trace's link covers: of its format, and later ones as soon as they hold what its format did not know."""
    return [
        column.name
        for column in COLUMNS
        if trace.format >= column.since or getattr(trace, column.name) != column.before
    ]


def column_words(trace: Trace) -> list[tuple[str, str]]:
    """The columns that the report names, with what they hold in words; empty ones are left out."""
    found = [(str(column.label), _words(trace, column.name)) for column in COLUMNS if column.label]
    return [(label, words) for label, words in found if words]


def _words(trace: Trace, name: str) -> str:
    display = getattr(trace, f"get_{name}_display", None)
    if display is not None:
        return str(display())
    value = getattr(trace, name.removesuffix("_id"))
    return "" if value is None else str(value)
