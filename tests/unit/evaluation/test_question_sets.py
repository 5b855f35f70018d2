"""Parts of SQuAD-layout files, paragraphs without their answers, vectors that are kept, and limits of `high`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import pytest

from evaluation.bands import band_qualities, best_band
from evaluation.management.commands.evaluate_gate import best_threshold
from evaluation.question_sets import BadQuestionSet, articles_between, read_squad, spread
from evaluation.removing import without_answers
from evaluation.vectors import Remembering
from inference_worker.engine.scripted import ScriptedEmbedder
from tests.unit.evaluation.centres import written
from tracing.calibration import LabelledAnswer
from tracing.confidence import HIGH_HEADROOM, HIGH_MARGIN
from tracing.content import Confidence, RetrievalConfidence


def squad(folder: Path, articles: int) -> Path:
    return written(
        folder,
        {
            "data": [
                {
                    "title": f"Article {number}",
                    "paragraphs": [
                        {
                            "context": f"Text {number}.",
                            "qas": [{"question": f"Q{number}?", "answers": [{"text": "Text"}]}],
                        }
                    ],
                }
                for number in range(articles)
            ]
        },
    )


def test_some_articles_keep_their_own_questions_and_numbers(tmp_path: Path) -> None:
    found = read_squad(squad(tmp_path, 6), language="en", articles=articles_between("2:4"))
    assert [paragraph.slug for paragraph in found.paragraphs] == ["paragraph-3", "paragraph-4"]
    assert [question.text for question in found.questions] == ["Q2?", "Q3?"]


@pytest.mark.parametrize(
    ("text", "kept"), [("4:", [4, 5]), (":1", [0]), (":", [0, 1, 2, 3, 4, 5]), ("0:99", list(range(6)))]
)
def test_either_end_may_be_left_out(text: str, kept: list[int], tmp_path: Path) -> None:
    found = read_squad(squad(tmp_path, 6), language="en", articles=articles_between(text))
    assert [question.article for question in found.questions] == kept


def test_articles_that_are_not_there_are_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(BadQuestionSet, match="no questions in these articles"):
        read_squad(squad(tmp_path, 2), language="en", articles=articles_between("5:9"))


@pytest.mark.parametrize("text", ["3", "a:b", "-1:2", "1:2:3", ""])
def test_what_names_no_articles_is_told_so(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="FROM:TO"):
        articles_between(text)


def test_a_limit_spreads_evenly() -> None:
    assert spread(range(10), 3) == (0, 3, 6)
    assert spread(range(3), 0) == spread(range(3), 5) == (0, 1, 2)


ENGLISH = "Bees live in hives. A queen lays 2,000 eggs a day. Queens are large. She lays 2000 eggs."


@pytest.mark.parametrize(
    ("text", "answers", "left"),
    [
        (ENGLISH, ["2000 eggs"], "Bees live in hives. Queens are large."),
        (ENGLISH, ["large. She"], "Bees live in hives. A queen lays 2,000 eggs a day."),
        (ENGLISH, ["nothing of it"], ENGLISH),
        (ENGLISH, [], ENGLISH),
        (ENGLISH, ["", "..."], ENGLISH),
        ("Only this.", ["this"], ""),
        ("水壶三十天内可退。退款要五天。", ["三十天"], "退款要五天。"),
    ],
)
def test_every_sentence_with_an_answer_is_taken_out(text: str, answers: list[str], left: str) -> None:
    assert without_answers(text, answers) == left


class Counting(ScriptedEmbedder):
    """Counts the texts that it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def embed_passages(self, texts: Sequence[str], *, is_urgent: bool = False) -> list[list[float]]:
        self.texts += texts
        return super().embed_passages(texts, is_urgent=is_urgent)


def test_vectors_are_computed_once_and_outlive_the_process(tmp_path: Path) -> None:
    first, second, file = Counting(), Counting(), tmp_path / "vectors"
    given = ["one", "two", "one", "\ud800"]
    computed = Remembering(first, file=file).embed_passages(given)
    assert first.texts == ["one", "two", "\ud800"]
    again = Remembering(second, file=file)
    assert second.texts == []
    for kept, vector in zip(again.embed_passages(given), computed, strict=True):
        assert kept == pytest.approx(vector, abs=1e-6)
    assert second.texts == []
    again.embed_passages(["three"])
    assert second.texts == ["three"]


def test_another_models_vectors_are_not_taken(tmp_path: Path) -> None:
    class Other(Counting):
        def info(self) -> dict[str, str]:
            return {"model": "another"}

    file, other = tmp_path / "vectors", Other()
    Remembering(Counting(), file=file).embed_passages(["one"])
    Remembering(other, file=file).embed_passages(["one"])
    assert other.texts == ["one"]


def test_the_best_threshold_is_that_of_the_best_balance_whatever_it_declines() -> None:
    best = best_threshold([0.9, 0.8, 0.3], [0.2, 0.4, 0.5])
    assert best is not None
    assert (best.threshold, best.false_refusals, best.refused) == (pytest.approx(0.65), pytest.approx(1 / 3), 1.0)
    assert best_threshold([], [0.1]) is None


def labelled(score: float, margin: float, *, is_right: bool, unmentioned: bool = False) -> LabelledAnswer:
    retrieval = RetrievalConfidence(score=score, threshold=0.5, margin=margin, rank_agreement=None)
    return LabelledAnswer(
        source="s", question="?", language="en", is_right=is_right,
        confidence=Confidence(retrieval=retrieval, token_probability=None, band="low", is_unmentioned=unmentioned),
    )  # fmt: skip


def test_limits_of_high_are_those_in_force_first_and_the_best_ones_give_most_answers_high() -> None:
    answers = [
        labelled(0.99, 0.2, is_right=True),
        labelled(0.9, 0.01, is_right=True),
        labelled(0.7, 0.2, is_right=False),
        labelled(0.99, 0.2, is_right=False, unmentioned=True),
    ]
    qualities = band_qualities(answers)
    assert (qualities[0].headroom, qualities[0].margin) == (HIGH_HEADROOM, HIGH_MARGIN)
    assert (qualities[0].answers, qualities[0].right) == (1, 1.0)
    best = best_band(qualities, right=0.95)
    assert best is not None
    assert (best.answers, best.margin) == (2, 0.0)
    assert best.headroom > 0.4
    assert best_band(band_qualities([labelled(0.99, 0.2, is_right=False)]), right=0.95) is None
