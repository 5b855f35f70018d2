"""When a message is searched together with the question before it."""

from __future__ import annotations

import pytest

from inference_worker.answering.follow_up import leans_on_history, with_predecessor

BEFORE = ["How much does express delivery cost?"]


@pytest.mark.parametrize(
    ("question", "language", "leans"),
    [
        ("And how long does it take?", "en", True),
        ("What about Germany?", "en", True),
        ("Which payment methods can customers in Norway use at checkout?", "en", False),
        ("那退货呢？", "zh", True),
        ("我在国外可以用哪些付款方式购买礼品卡？", "zh", False),
    ],
)
def test_short_messages_and_those_that_point_back_lean_on_history(question: str, language: str, leans: bool) -> None:
    assert leans_on_history(question, language) is leans


def test_a_follow_up_is_searched_behind_its_predecessor() -> None:
    assert with_predecessor("And to Germany?", BEFORE, "en", known=0.9) == f"{BEFORE[0]} And to Germany?"
    assert with_predecessor("And that one?", BEFORE, "en", known=None) == f"{BEFORE[0]} And that one?"


def test_the_first_message_has_no_predecessor() -> None:
    assert with_predecessor("And to Germany?", [], "en", known=0.9) is None


@pytest.mark.parametrize("question", ["Do you sell used cars?", "Is it vegan?"])
def test_what_the_articles_never_mention_is_not_answered_from_the_question_before(question: str) -> None:
    assert leans_on_history(question, "en")
    assert with_predecessor(question, BEFORE, "en", known=0.2) is None
