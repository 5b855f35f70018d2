"""When a message is searched together with the question before it, or as that question about another thing."""

from __future__ import annotations

import time

import pytest

from inference_worker.answering.follow_up import FollowUp, follow_up, leans_on_history, understood

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


@pytest.mark.parametrize(
    ("before", "question", "language", "meant"),
    [
        ("Do you deliver to Austria?", "and to Switzerland?", "en", "Do you deliver to Switzerland?"),
        ("Do you deliver to Austria?", "What about Switzerland?", "en", "Do you deliver to Switzerland?"),
        ("How much is the red pot?", "No, the blue one", "en", "How much is the blue pot?"),
        ("What does the XJ-350 weigh?", "I meant the XJ-300", "en", "What does the XJ-300 weigh?"),
        ("What does the XJ-350 weigh?", "sorry, XJ-300", "en", "What does the XJ-300 weigh?"),
        ("How much is standard delivery?", "Sorry, I meant express delivery.", "en", "How much is express delivery?"),
        ("How much is the Basic plan?", "and the Pro plan?", "en", "How much is the Pro plan?"),
        ("How do I cancel my plan?", "not that, the Team plan", "en", "How do I cancel my Team plan?"),
        ("寄到北京要几天", "那寄到香港呢", "zh", "寄到香港要几天"),
        ("普通版多少钱", "不是，我说的是会员版", "zh", "会员版多少钱"),
        ("普通版多少钱", "會員版呢？", "zh", "会员版多少钱"),
        ("月卡多少钱", "抱歉，我是说年卡", "zh", "年卡多少钱"),
        ("XJ-350多重", "不对，XJ-300", "zh", "XJ-300多重"),
    ],
)
def test_a_correction_and_an_ellipsis_ask_the_same_about_another_thing(
    before: str, question: str, language: str, meant: str
) -> None:
    assert follow_up(question, [before], language, known=0.9) == FollowUp(meant, replaces=True)


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("And to Germany?", "en"),
        ("And that one?", "en"),
        ("how long does it take?", "en"),
        ("no, it does not work", "en"),
        ("那退货呢？", "zh"),
        ("我问一下几天到", "zh"),
    ],
)
def test_whatever_else_leans_back_is_searched_behind_its_predecessor_as_well(question: str, language: str) -> None:
    assert follow_up(question, BEFORE, language, known=None) == FollowUp(f"{BEFORE[0]} {question}", replaces=False)


def test_what_was_left_out_before_is_put_in_for_the_next_one() -> None:
    asked = ["How much is delivery to Austria?", "and to Switzerland?", "and to Italy?"]
    assert understood(asked, "en") == "How much is delivery to Italy?"
    assert follow_up("and to Norway?", asked, "en", known=1.0) == FollowUp(
        "How much is delivery to Norway?", replaces=True
    )
    assert understood(["寄到北京要几天", "那寄到香港呢"], "zh") == "寄到香港要几天"
    assert understood(["Do you sell pots?", "How long is the warranty of them all, in years?"], "en").startswith(
        "How long"
    )


def test_the_first_message_has_no_predecessor() -> None:
    assert follow_up("And to Germany?", [], "en", known=0.9) is None


@pytest.mark.parametrize("question", ["Do you sell used cars?", "Is it vegan?", "and the vegan one?"])
def test_what_the_articles_never_mention_is_not_answered_from_the_question_before(question: str) -> None:
    assert leans_on_history(question, "en")
    assert follow_up(question, BEFORE, "en", known=0.2) is None


@pytest.mark.parametrize(
    "question",
    ["no " * 7_000, "and " * 5_000, "i mean " * 3_000, "sorry, " * 42 + "x", "what about " + "a " * 140, "那" * 20_000,
     "不是，" * 99, "我说" * 149 + "x", "那" * 250 + "呢呢x", " " * 20_000],
)  # fmt: skip
@pytest.mark.parametrize("before", ["How much is the pot to " + "a " * 130, "x" * 20_000, "版" * 300])
def test_no_message_takes_long(question: str, before: str) -> None:
    begun = time.process_time()
    for language in ("en", "zh"):
        follow_up(question, [before, before], language, known=1.0)
    assert time.process_time() - begun < 1
