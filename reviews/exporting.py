"""Taking out what reviews came to: who may, how much, and that it was done. Runs inside `tenant_atomic`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import structlog

from conversations.models import claims_confidence
from helpdesk.facts.kinds import SYSTEM, Actor, FactKind
from helpdesk.facts.recording import record
from helpdesk.permissions import Right
from helpdesk.tenants.scope import current_tenant_id
from helpdesk.users.acting import needs
from knowledge.models import Article
from reviews.examples import Example, examples
from reviews.layouts import Layout, lines
from reviews.models import Cause
from tracing.calibration import LabelledAnswer
from tracing.models import Trace
from tracing.read import TraceUnreadable, open_trace_from_shell

logger = structlog.get_logger(__name__)

MOST = 10_000
# The answer was right and only badly said: what its evidence was worth is not in doubt.
RIGHT_NEVERTHELESS = frozenset({str(Cause.TONE)})


@dataclass(frozen=True, slots=True)
class Exported:
    """A file's text, and how many examples or questions it has."""

    text: str
    count: int


@needs(Right.MANAGE_REVIEWS)
def export_examples(layout: Layout, *, actor: Actor = SYSTEM) -> Exported:
    """At most MOST settled reviews in this layout; recorded as a fact with their number."""
    made = list(lines(examples(limit=MOST), layout=layout, articles=_article_paths()))
    text = "".join(made)
    count = text.count('"question": ') if layout == Layout.QUESTIONS else len(made)
    _note(str(layout), count, actor)
    return Exported(text, count)


def labelled_answers(*, reason: str) -> Iterator[LabelledAnswer]:
    """Settled reviews as a calibration learns from them, for somebody with a shell: each trace is opened for that, and logged.

    What claims no confidence, or does not open any more, has nothing to learn from. Raises ReasonMissing.
    """
    count = 0
    for example in examples(limit=MOST):
        trace: Trace | None = Trace.objects.select_related("key").filter(reply_id=example.reply_id).first()
        if trace is None or not claims_confidence(trace.outcome, trace.kind):
            continue
        try:
            content = open_trace_from_shell(trace=trace, reason=reason)
        except TraceUnreadable:
            continue
        count += 1
        yield LabelledAnswer(
            source="reviews",
            question=example.question,
            language=example.language,
            is_right=_is_right(example),
            confidence=content.confidence,
        )
    _note("labels", count, SYSTEM)


def _is_right(example: Example) -> bool:
    return example.is_good or example.cause in RIGHT_NEVERTHELESS


def _note(layout: str, count: int, actor: Actor) -> None:
    record(FactKind.REVIEWS_EXPORTED, actor=actor, layout=layout, count=count)
    logger.info("reviews_exported", tenant_id=str(current_tenant_id()), layout=layout, count=count)


def _article_paths() -> dict[str, str]:
    """Of each article by its id: the path that it was imported from, else the one that an export would give it."""
    rows = Article.objects.values_list("id", "path", "language", "slug")
    return {str(key): path.rpartition(".")[0] or f"{language}/{slug}" for key, path, language, slug in rows}
