"""The keys of bench/results/answers.json: from what the commands print, and null where a file was not given."""

from __future__ import annotations

from typing import Any

from bench.answers import keys, throughput
from evaluation.management.commands.evaluate_help_centre import report
from tests.unit.evaluation.test_figures import judged

RIGHT = judged(quotes_answer=True, article_rank=1, milliseconds={"embed": 5.0, "rerank": 80.0})
CHINESE = judged(language="zh", open="related", is_answered=False, milliseconds={"embed": 5.0, "rerank": 120.0})


def found(**more: Any) -> dict[str, Any]:
    nothing = {"xquad_en": None, "xquad_zh": None, "cmrc": None}
    return {"centres": report([RIGHT, CHINESE]), "retrieval": nothing, "mixed": None, "gate": nothing} | more


def test_a_file_that_was_not_given_is_null() -> None:
    figures = keys(found())
    assert (figures["first_en"], figures["declined_open_zh"], figures["false_refusals"]) == (1.0, 1.0, 0.0)
    assert figures["declined_open_en"] is figures["first_zh"] is figures["attacks_declined"] is None
    assert figures["rerank_ms_p95"] == 118.0
    names = ("xquad_en_r1", "xquad_zh_r1", "cmrc_r1", "mixed_r5", "gate_xquad_en", "gate_cmrc")
    assert {figures[name] for name in names} == {None}


def test_searches_and_gates_are_those_of_their_files() -> None:
    retrieval = {
        name: {"used_recall_at_1": place / 10} for place, name in enumerate(("xquad_en", "xquad_zh", "cmrc"), 1)
    }
    gate = {"xquad_en": {"balanced_accuracy": 0.75}, "xquad_zh": None, "cmrc": None}
    figures = keys(found(retrieval=retrieval, mixed={"recall_at_5": 0.9}, gate=gate))
    assert [figures[f"{name}_r1"] for name in retrieval] == [0.1, 0.2, 0.3]
    assert (figures["mixed_r5"], figures["gate_xquad_en"], figures["gate_xquad_zh"]) == (0.9, 0.75, None)


def test_without_rounds_no_desk_is_started() -> None:
    assert throughput(0, 40) == {"answers_per_minute_ratio": None}
