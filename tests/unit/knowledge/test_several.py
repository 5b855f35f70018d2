"""Where one question of a message ends and the next begins."""

from __future__ import annotations

import time

import pytest

from knowledge.quoting.several import asked_together


@pytest.mark.parametrize(
    ("message", "questions"),
    [
        ("Do you deliver to Austria, and to Mars?", ("Do you deliver to Austria?", "Do you deliver to Mars?")),
        ("How long does delivery take and what does it cost?", ("How long does delivery take?", "what does it cost?")),
        ("how much is delivery, how long does it take", ("how much is delivery?", "how long does it take?")),
        ("Can I pay by card and by invoice?", ("Can I pay by card?", "Can I pay by invoice?")),
        ("Do you ship to Norway? And how much is it?", ("Do you ship to Norway?", "And how much is it?")),
        (
            "Hello, two questions. 1. How long is the warranty? 2. Do you repair lamps? Thanks!",
            ("How long is the warranty?", "Do you repair lamps?"),
        ),
        ("How do I cancel, and when does it end, and do I get a refund?",
         ("How do I cancel?", "when does it end?", "do I get a refund?")),
        ("运费多少，几天能到？", ("运费多少？", "几天能到？")),
        ("運費多少，幾天能到？", ("运费多少？", "几天能到？")),
        ("运费多少还有多久能到", ("运费多少？", "多久能到？")),
        ("如果不喜欢，怎么退货，运费谁出？", ("如果不喜欢，怎么退货？", "运费谁出？")),
        ("你好，我想问一下运费怎么算，什么时候发货？谢谢", ("运费怎么算？", "什么时候发货？")),
        ("送到奥地利吗？送到火星吗？", ("送到奥地利吗?", "送到火星吗?")),
    ],
)  # fmt: skip
def test_two_questions_are_told_apart(message: str, questions: tuple[str, ...]) -> None:
    assert asked_together(message) == questions


@pytest.mark.parametrize(
    "message",
    [
        "Is the pot black and white?",
        "Can I return a lamp that was a gift and is still in the box?",
        "Which player got a penalty, which gave the others a new set of downs?",
        "If I order today, when will it arrive?",
        "Which is cheaper, standard or express?",
        "Tell me how and when I can pay",
        "Do you know if and when you deliver to Austria?",
        "What is included and what is not?",
        "Is it free or do I pay?",
        "Can I pay by card or by invoice?",
        "Do you deliver to Austria and Switzerland?",
        "Can I cancel and get a refund?",
        "Do you sell pots?",
        "",
        "黑色和白色有吗",
        "快递还有多久能到",
        "什么都没收到，怎么办",
        "我收到的杯子碎了，怎么换货？",
        "多少钱一斤",
    ],
)
def test_one_question_stays_one(message: str) -> None:
    assert asked_together(message) == ()


def test_none_of_many_questions_is_lost() -> None:
    many = [f"How much is pot number {number}?" for number in range(9)]
    assert asked_together(" ".join(many)) == tuple(many)


HOSTILE = (
    "how much is it and ",
    "to a and ",
    "运费多少，",
    "to ",
    "is it, ",
    "什么",
    "how much? ",
    "do you ship to aaaa, and ",
    "还有",
)


@pytest.mark.parametrize("piece", HOSTILE)
@pytest.mark.parametrize("length", [299, 20_000])
def test_no_message_takes_long(piece: str, length: int) -> None:
    begun = time.process_time()
    asked_together((piece * length)[:length])
    assert time.process_time() - begun < 1
