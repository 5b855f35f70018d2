"""Stages beside the pipeline's own: how a reranker, a guard or a tool's call takes part in an answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from inference_worker.answering.finding import Rerank
from inference_worker.answering.means import Means
from inference_worker.answering.results import Asked, Checked, Draft, Evidence, Plan

Given = TypeVar("Given")
Stage = Callable[[Given, Means], Given]


@dataclass(frozen=True, slots=True, kw_only=True)
class FurtherStages:
    """Stages behind those of `pipeline`, by the result that they take and give, each in the order given.

    A stage times itself (`means.steps.step`) and notes what it found (`means.steps.note`). `rerank` gets what each search
    found, before quotes are selected from it.
    """

    asked: tuple[Stage[Asked], ...] = ()
    rerank: tuple[Rerank, ...] = ()
    evidence: tuple[Stage[Evidence], ...] = ()
    plan: tuple[Stage[Plan], ...] = ()
    draft: tuple[Stage[Draft], ...] = ()
    checked: tuple[Stage[Checked], ...] = ()


NO_FURTHER_STAGES = FurtherStages()


def through(stages: Sequence[Stage[Given]], result: Given, means: Means) -> Given:
    """The result when all of these stages have had it."""
    for stage in stages:
        result = stage(result, means)
    return result
