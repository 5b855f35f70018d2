"""The gate between what is written and what is shown: a sentence passes when it has been checked, and stays for good.

What claims nothing waits for the next claim that passes: courtesies alone are no answer, and nothing is ever taken back.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from inference_worker.answering.checking.claims import Speech
from inference_worker.answering.checking.sentences import Judged, SentenceJudge
from inference_worker.answering.checking.units import Unit, UnitReader
from knowledge.quoting.selection import Quote
from tracing.content import KEPT, Checking, SentenceCheck
from tracing.content.checking import joint

# So many failed before any passed: what comes will hardly be better, and the customer waits.
FAILED_AT_FIRST = 2
# From so many on, a text more than half of which failed is ended.
FEWEST_JUDGED = 3


class AnswerGate:
    """Takes a text piece by piece and gives what may be shown of it."""

    def __init__(self, judge: SentenceJudge) -> None:
        self._judge = judge
        self._reader = UnitReader()
        self._records: list[SentenceCheck] = []
        # The places in `_records` of those whose turn has not come, with what they do.
        self._waiting: list[tuple[int, Speech]] = []
        self._gaps: list[tuple[int, int]] = []
        self._end = 0
        self._has_shown = False
        self._quotes: list[Quote] = []
        self.kept = 0
        self.cut = 0
        self.is_closed = False

    def prepare(self) -> None:
        """Do beforehand what need not wait for the first sentence."""
        self._judge.prepare()

    @property
    def is_rejected(self) -> bool:
        """Whether nothing of it can be an answer; final once it is closed or finished."""
        return self.kept == 0

    def add(self, piece: str) -> str:
        """What may be shown now, possibly nothing. Once it `is_closed`, nothing more is."""
        return "" if self.is_closed else self._take(self._reader.add(piece))

    def finish(self) -> str:
        """The text has ended: what may still be shown of it."""
        if self.is_closed:
            return ""
        shown = self._take(self._reader.finish())
        if self.kept and not self.is_closed:
            shown += self._release(is_over=True)
        self._drop_waiting()
        return shown

    def stop(self) -> None:
        """What has been shown stays, and the rest is discarded."""
        self._discard("stopped")

    @property
    def quotes(self) -> tuple[Quote, ...]:
        """The article sentences that back what was kept, each once."""
        return tuple(dict.fromkeys(self._quotes))

    def checking(self) -> Checking:
        """The record."""
        sentences = tuple(self._records)
        return Checking(text=self._reader.text, sentences=sentences, is_replaced=self.is_rejected)

    def _take(self, units: Sequence[Unit]) -> str:
        shown = ""
        for place, unit in enumerate(units):
            shown += self._pass(unit)
            if self.is_closed:
                self._discard("closed", units[place + 1 :])
                break
        return shown

    def _pass(self, unit: Unit) -> str:
        if unit.is_endless and self._records and self._records[-1].reason == "endless":
            self._records[-1] = replace(self._records[-1], end=unit.end)
            return ""
        begun = time.perf_counter()
        judged = Judged(Speech.CLAIM, "endless") if unit.is_endless else self._judge.judge(unit.text)
        milliseconds = round((time.perf_counter() - begun) * 1000, 3)
        self._records.append(
            SentenceCheck(
                start=unit.start,
                end=unit.end,
                reason=judged.reason,
                support=None if judged.support is None else round(judged.support, 4),
                score=None if judged.score is None else round(judged.score, 4),
                milliseconds=milliseconds,
            )
        )
        self._waiting.append((len(self._records) - 1, judged.speech))
        if judged.reason:
            self.cut += 1
            self.is_closed = self._is_hopeless()
            return ""
        if judged.speech is not Speech.CLAIM:
            return ""
        self.kept += 1
        self._quotes += self._judge.quotes_of(unit.text)
        return self._release()

    def _is_hopeless(self) -> bool:
        if self.kept == 0:
            return self.cut >= FAILED_AT_FIRST
        return self.kept + self.cut >= FEWEST_JUDGED and self.cut > self.kept

    def _release(self, *, is_over: bool = False) -> str:
        """Show what waits, in its order. A lead-in goes with what it leads to: it stays out when that was cut."""
        shown = ""
        last = len(self._waiting) - 1
        for place, (index, speech) in enumerate(self._waiting):
            record = self._records[index]
            if speech is Speech.LEAD_IN and not record.reason and (is_over or self._leads_nowhere(place, last)):
                record = self._records[index] = replace(record, reason="alone")
            self._gaps.append((self._end, record.start))
            self._end = record.end
            if record.reason == KEPT:
                shown += self._text(joint(self._reader.text, self._gaps)) + self._text((record.start, record.end))
                self._gaps = []
        self._waiting = []
        if not self._has_shown:
            shown = shown.lstrip()
            self._has_shown = bool(shown)
        return shown

    def _leads_nowhere(self, place: int, last: int) -> bool:
        """Whether everything up to the next paragraph, or to the claim that passed, was cut."""
        here = self._records[self._waiting[place][0]]
        claim = self._records[self._waiting[last][0]]
        between = [self._records[index] for index, _ in self._waiting[place + 1 : last]]
        return any(each.reason for each in between) and "\n\n" in self._text((here.end, claim.start))

    def _drop_waiting(self) -> None:
        for index, _ in self._waiting:
            if not self._records[index].reason:
                self._records[index] = replace(self._records[index], reason="alone")
        self._waiting = []

    def _discard(self, reason: str, units: Sequence[Unit] = ()) -> None:
        for index, _ in self._waiting:
            if not self._records[index].reason:
                self._records[index] = replace(self._records[index], reason=reason)
        self._waiting = []
        rest = [*units, *self._reader.finish()]
        self._records += [SentenceCheck(start=each.start, end=each.end, reason=reason) for each in rest]

    def _text(self, span: tuple[int, int]) -> str:
        return self._reader.text[slice(*span)]
