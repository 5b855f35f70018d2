"""The reranker's stage of an answer: what it is given, its bounds, and its failures. No database, no model."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from inference_worker.answering.means import AnswerSettings, Means
from inference_worker.answering.pace import Pace
from inference_worker.answering.reranking import LEAST_SENTENCES, rerank
from inference_worker.answering.steps import Steps
from inference_worker.engine.contract import PairScore
from inference_worker.engine.scripted import ScriptedReranker
from knowledge.search.retrieval import RetrievalResult
from tests.unit.knowledge.results import make_candidate, make_result

QUESTION = "may I return a pot?"


class ClockedSteps(Steps):
    """Steps whose clock only moves when a test moves it."""

    now = 0.0

    def now_ms(self) -> float:
        return self.now


class SlowReranker(ScriptedReranker):
    """Takes so many milliseconds of the clock for each text; `read` lists how many it was given."""

    def __init__(self, steps: ClockedSteps, ms: float) -> None:
        super().__init__()
        self.steps, self.ms = steps, ms
        self.read: list[int] = []

    def score(self, question: str, texts: Sequence[str], *, is_urgent: bool = True) -> list[PairScore]:
        self.read.append(len(texts))
        self.steps.now += self.ms * len(texts)
        return super().score(question, texts, is_urgent=is_urgent)


def means(
    reranker: ScriptedReranker | None, *, steps: Steps | None = None, pace: Pace | None = None, budget: int = 250
) -> Means:
    return Means(
        model=None,
        embedder=None,
        reranker=reranker,
        pace=pace or Pace(),
        settings=AnswerSettings(cache_seconds=0, secret_key=b"key", rerank_milliseconds=budget),
        steps=steps or Steps(),
        stream=None,
        watch=None,
    )


def found() -> RetrievalResult:
    return make_result(
        *(
            make_candidate(
                [
                    (f"Sentence {place} of passage {number} says something.", 0.9 - 0.1 * number)
                    for place in range(count)
                ]
            )
            for number, count in enumerate((4, 4, 3))
        ),
        make_candidate([("You may return a pot.", 0.3)]),
    )


def many() -> RetrievalResult:
    """Twenty passages of the question's language and six of the other; the answer is in the last of the first."""
    return make_result(
        *(make_candidate([(f"Passage {number} says something.", 0.9 - 0.01 * number)]) for number in range(19)),
        make_candidate([("You may return a pot.", 0.89)]),
        *(
            make_candidate([(f"第{number}段", 0.7 - 0.01 * number)], language="zh", is_other_language=True)
            for number in range(6)
        ),
    )


def read(result: RetrievalResult) -> int:
    return sum(score is not None for each in result.candidates for score in each.sentence_scores)


def notes(steps: Steps) -> list[tuple[str, dict[str, float]]]:
    assert {note.stage for note in steps.notes} <= {"rerank"}
    return [(note.verdict, note.figures) for note in steps.notes]


def test_scores_are_put_on_what_was_found_and_the_step_is_timed() -> None:
    own, reranker = Steps(), ScriptedReranker()
    result = rerank(found(), QUESTION, means(reranker, steps=own))
    assert (read(result), reranker.questions) == (12, [QUESTION])
    assert result.candidates[-1].scores["rerank"].score == max(
        each.scores["rerank"].score for each in result.candidates
    )
    assert ([step.name for step in own.records], own.notes) == (["rerank"], [])


def test_of_many_passages_the_first_nine_by_its_scores_are_passed_on() -> None:
    result = rerank(many(), QUESTION, means(ScriptedReranker()))
    assert [len(result.own_language), len(result.other_language)] == [5, 4]
    assert result.candidates[0].text == "You may return a pot."


def test_without_its_scores_the_first_nine_are_those_of_the_search() -> None:
    failing = ScriptedReranker()
    failing.error = RuntimeError("out of memory")
    for reranker in (None, failing):
        found_first = many()
        result = rerank(found_first, QUESTION, means(reranker))
        assert result.own_language == found_first.own_language[:5]
        assert result.other_language == found_first.other_language[:4]


def test_without_a_reranker_or_anything_found_nothing_happens() -> None:
    own, result = Steps(), found()
    assert rerank(result, QUESTION, means(None, steps=own)) is result
    nothing = make_result()
    assert rerank(nothing, QUESTION, means(ScriptedReranker(), steps=own)) is nothing
    assert (own.records, own.notes) == ([], [])


def test_fewer_sentences_are_read_on_a_slow_machine_but_never_fewer_than_four() -> None:
    pace = Pace()

    def read_at(ms: float) -> tuple[int, list[tuple[str, dict[str, float]]]]:
        steps = ClockedSteps()
        reranker = SlowReranker(steps, ms)
        count = read(rerank(found(), QUESTION, means(reranker, steps=steps, pace=pace)))
        assert reranker.read == [count]
        return count, notes(steps)

    # 10, 19 and 25.3 milliseconds for a sentence are expected, then 29.7.
    assert [read_at(ms) for ms in (10.0, 40.0, 40.0)] == [(12, [])] * 3
    assert read_at(40.0) == (9, [("cut", {"sentences": 9.0, "chosen": 12.0})])
    assert read_at(4000.0)[0] == 8
    assert read_at(1.0)[0] == LEAST_SENTENCES
    for _ in range(20):
        read_at(1.0)
    assert read_at(1.0) == (12, [])


def test_a_call_that_ran_over_twice_the_budget_is_noted_and_the_last_of_its_answer() -> None:
    steps = ClockedSteps()
    reranker = SlowReranker(steps, 50.0)
    own = means(reranker, steps=steps)
    assert read(rerank(found(), QUESTION, own)) == 12
    assert notes(steps) == [("late", {"ms": 600.0})]
    second = found()
    assert rerank(second, QUESTION, own) is second
    assert reranker.read == [12]


def test_a_call_of_twice_the_budget_is_not_late() -> None:
    steps = ClockedSteps()
    own = means(SlowReranker(steps, 50.0), steps=steps, budget=300)
    rerank(found(), QUESTION, own)
    assert notes(steps) == []


def test_a_reranker_that_fails_is_done_without_and_not_asked_again_for_this_answer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    reranker, own = ScriptedReranker(), Steps()
    reranker.error = RuntimeError(f"cannot read {QUESTION}")
    given, result = means(reranker, steps=own), found()
    assert rerank(result, QUESTION, given) is result
    assert rerank(result, QUESTION, given) is result
    assert (notes(own), len(reranker.questions)) == ([("failed", {})], 1)
    assert [step.name for step in own.records] == ["rerank"]
    assert QUESTION not in caplog.text


def test_a_reranker_that_gives_too_few_scores_has_failed() -> None:
    class Short(ScriptedReranker):
        def score(self, question: str, texts: Sequence[str], *, is_urgent: bool = True) -> list[PairScore]:
            return super().score(question, texts[1:])

    own, result = Steps(), found()
    assert rerank(result, QUESTION, means(Short(), steps=own)) is result
    assert notes(own) == [("failed", {})]


def test_the_pace_is_a_moving_average() -> None:
    pace = Pace()
    assert pace.fitting([100] * 5, ms=1.0, least=2) == 5
    pace.observe(tokens=0, ms=5.0)
    pace.observe(tokens=100, ms=100.0)
    assert pace.fitting([100] * 5, ms=300.0, least=2) == 3
    pace.observe(tokens=100, ms=200.0)
    assert pace.fitting([100] * 5, ms=389.0, least=2) == 2
    assert pace.fitting([100] * 5, ms=391.0, least=2) == 3
    assert pace.fitting([], ms=1.0, least=2) == 0
    assert pace.fitting([100], ms=1.0, least=2) == 1
