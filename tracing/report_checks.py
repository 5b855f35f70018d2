"""The sentences of a freely written answer as the report shows them: what was shown, and what was cut and why. No database."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tracing import words
from tracing.content import KEPT, Checking, SentenceCheck


@dataclass(frozen=True, slots=True)
class SentenceRow:
    """A sentence; `reason` is why it was cut, in words, and empty when it was shown."""

    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class ChecksView:
    """The sentences in their order, with what became of them in a line."""

    summary: str
    rows: list[SentenceRow]
    has_cuts: bool


def checks_view(checking: Checking | None) -> ChecksView | None:
    """None for an answer whose sentences were not checked one by one."""
    if checking is None:
        return None
    return ChecksView(
        summary=_summary(checking),
        rows=[_row(checking, sentence) for sentence in checking.sentences],
        has_cuts=any(sentence.reason != KEPT for sentence in checking.sentences),
    )


def _summary(checking: Checking) -> str:
    total = len(checking.sentences)
    if checking.is_replaced:
        return _("None of the engine's first draft was shown. The answer quotes the articles instead.")
    shown = sum(sentence.reason == KEPT for sentence in checking.sentences)
    return ngettext("%(shown)s of %(total)s sentence shown.", "%(shown)s of %(total)s sentences shown.", total) % {
        "shown": shown,
        "total": total,
    }


def _row(checking: Checking, sentence: SentenceCheck) -> SentenceRow:
    return SentenceRow(
        text=checking.text[sentence.start : sentence.end],
        reason=words.cut_reason(sentence.reason) if sentence.reason != KEPT else "",
    )
