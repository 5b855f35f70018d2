"""The same question about another thing."""

from __future__ import annotations

import time

import pytest

from knowledge.quoting.replacing import with_other_thing


@pytest.mark.parametrize(
    ("question", "thing", "meant"),
    [
        ("What does the XJ-350 weigh?", "the XJ-300", "What does the XJ-300 weigh?"),
        ("Do you deliver to Austria?", "Switzerland?", "Do you deliver to Switzerland?"),
        ("寄到奥地利多少钱", "瑞士", "寄到瑞士多少钱"),
        ("Is the shop open on Saturdays?", "Sundays", "Is the shop open on Sundays?"),
        ("周六营业吗", "周日", "周日营业吗"),
        ("How much is the 20 l pot?", "40 l", "How much is the 40 l pot?"),
        ("Can I use it with Kerbly?", "Parlindo", "Can I use it with Parlindo?"),
        ("How much does shipping to Rome cost?", "to the moon", "How much does shipping to the moon cost?"),
        ("Is there a discount for students?", "for teachers", "Is there a discount for teachers?"),
        ("How much is standard delivery?", "express delivery", "How much is express delivery?"),
        ("How much is the red pot?", "the blue one", "How much is the blue pot?"),
        ("How much is the red pot?", "the vase", "How much is the vase?"),
        ("寄到北京要几天", "寄到香港", "寄到香港要几天"),
        ("普通版多少钱", "会员版", "会员版多少钱"),
        ("普通版多少錢", "會員版", "会员版多少钱"),
    ],
)
def test_what_is_of_its_sort_is_replaced(question: str, thing: str, meant: str) -> None:
    assert with_other_thing(question, thing) == meant


@pytest.mark.parametrize(
    ("question", "thing"),
    [
        ("How much does express delivery cost?", "to Germany"),
        ("Do I have to return?", "to Italy"),
        ("普通版多少钱", "退货"),
        ("How much is the pot?", ""),
        ("How much is the pot?", "x" * 61),
        ("x" * 301, "the pot"),
        ("Do you deliver to Austria?", "to Austria"),
    ],
)
def test_nothing_is_replaced_where_nothing_is_of_its_sort(question: str, thing: str) -> None:
    assert with_other_thing(question, thing) is None


@pytest.mark.parametrize("question", ["the a " * 50, "to to to " * 33, "的版" * 150, "a " * 150, "版" * 20_000])
@pytest.mark.parametrize("thing", ["to " + "a " * 20, "the " * 15, "会员版", "寄到" * 20, "one " * 15])
def test_no_question_takes_long(question: str, thing: str) -> None:
    begun = time.process_time()
    with_other_thing(question, thing)
    assert time.process_time() - begun < 1
