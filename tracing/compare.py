"""Two answers side by side: what was the same, what was not. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from django.utils.translation import gettext as _

from conversations.models import AnswerStyle
from knowledge.search.ranking import FUSED
from tracing import words
from tracing.content import TraceContent
from tracing.parts import confidence_parts
from tracing.report_analyses import DiffPiece

# Words of Latin scripts, single characters of others, and everything between them.
_UNIT = re.compile(r"[A-Za-z0-9\u00c0-\u024f]+|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Compared:
    """One value of both answers."""

    name: str
    left: str
    right: str

    @property
    def differs(self) -> bool:
        return self.left != self.right


@dataclass(frozen=True, slots=True)
class Comparison:
    """The contents of two traces. `left` and `right` are the answers, with what the other one lacks marked."""

    left: list[DiffPiece]
    right: list[DiffPiece]
    same_question: bool
    same_prompt: bool
    parts: list[Compared]
    settings: list[Compared]
    passages: list[Compared]


def compare(left: TraceContent, right: TraceContent) -> Comparison:
    """Everything that two opened answers have in common or not."""
    old, new = marked_difference(left.answer, right.answer)
    return Comparison(
        left=old,
        right=new,
        same_question=left.question == right.question,
        same_prompt=left.prompt is not None and left.prompt == right.prompt,
        parts=_joined(
            [(part.name, f"{part.value} ({part.band_word})") for part in confidence_parts(left)],
            [(part.name, f"{part.value} ({part.band_word})") for part in confidence_parts(right)],
        ),
        settings=_joined(_settings(left), _settings(right)),
        passages=_joined(_passages(left), _passages(right)),
    )


def marked_difference(left: str, right: str) -> tuple[list[DiffPiece], list[DiffPiece]]:
    """Both texts in pieces: "old" only on the left, "new" only on the right."""
    ours, theirs = _UNIT.findall(left), _UNIT.findall(right)
    old: list[DiffPiece] = []
    new: list[DiffPiece] = []
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        changed = kind != "equal"
        if i2 > i1:
            old.append(DiffPiece("".join(ours[i1:i2]), "old" if changed else ""))
        if j2 > j1:
            new.append(DiffPiece("".join(theirs[j1:j2]), "new" if changed else ""))
    return old, new


def _joined(left: Sequence[tuple[str, str]], right: Sequence[tuple[str, str]]) -> list[Compared]:
    """Values by name, in the left one's order; a dash where one side has none."""
    ours, theirs = dict(left), dict(right)
    return [
        Compared(name, ours.get(name, "–"), theirs.get(name, "–")) for name in [*ours, *(theirs.keys() - ours.keys())]
    ]


def _settings(content: TraceContent) -> list[tuple[str, str]]:
    engine, sampling, prompt = content.engine, content.sampling, content.prompt
    found = [(_("Style"), str(dict(AnswerStyle.choices).get(content.style, content.style)))]
    if engine:
        found += [
            (_("Model"), engine.model),
            (_("Quantization"), engine.quantization),
            (_("Engine"), f"{engine.engine} {engine.engine_version}"),
        ]
    if sampling:
        found += [(_("Temperature"), f"{sampling.temperature:g}"), (_("Seed"), str(sampling.seed))]
    if prompt:
        found += [(_("Template"), prompt.template_version), (_("Prompt tokens"), words.count(len(prompt.token_ids)))]
    return found


def _passages(content: TraceContent) -> list[tuple[str, str]]:
    """The passages in the prompt: title with version, and what became of each."""
    return [
        (
            f"{each.title} · {each.heading}" if each.heading else each.title,
            _("%(state)s, version %(version)s, combined score %(score)s")
            % {
                "state": _("quoted") if each.quoted else _("used"),
                "version": each.version,
                "score": words.number(each.scores[FUSED].score) if FUSED in each.scores else "–",
            },
        )
        for each in content.candidates
        if each.used
    ]
