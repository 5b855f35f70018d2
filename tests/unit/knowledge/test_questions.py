"""What of a mail is its question."""

from __future__ import annotations

import pytest

from knowledge.quoting.questions import asking_part, is_long, questions_in

MAIL = """Hello, my name is Hanna Berg and I bought two pots of yours in March. The first one arrived quickly and I love it.
Last week I ordered another one as a gift for my sister, who moves house. My question is whether I can return a pot that was
a gift. Also, what does a return cost? Thank you very much for your help.
Best regards,
Hanna Berg"""


def test_a_mail_is_searched_by_its_questions() -> None:
    assert questions_in(MAIL) == ("I can return a pot that was a gift.", "Also, what does a return cost?")
    assert is_long(MAIL)


@pytest.mark.parametrize(
    ("message", "questions"),
    [
        ("Dear team, I moved. When is my parcel due? Cheers, Ed", ("When is my parcel due?",)),
        ("I bought a fern. Does it need shade?", ("I bought a fern. Does it need shade?",)),
        ("I would like to know if you deliver on Saturdays. Thanks!", ("you deliver on Saturdays.",)),
        ("您好，我上周买了花盆。请问礼物可以退货吗？谢谢！", ("礼物可以退货吗?",)),
        ("你好，我叫李华。我想问一下运费怎么算。祝好", ("运费怎么算。",)),
        ("The lamp is broken.", ()),
        ("Could you please tell me how long the warranty lasts? Kind regards", ("how long the warranty lasts?",)),
        ("It rained. It poured. Can I cancel the course? Is it refunded? Who calls me?",
         ("Can I cancel the course?", "Is it refunded?", "Who calls me?")),
        ("Thanks for the quick answer! What about a refund?", ("What about a refund?",)),
        ("我收到的杯子碎了。怎么换货？", ("怎么换货?",)),
    ],
)  # fmt: skip
def test_greeting_story_and_signature_are_left_out(message: str, questions: tuple[str, ...]) -> None:
    assert questions_in(message) == questions


def test_what_is_told_beside_the_question_is_not_asked_about() -> None:
    assert asking_part("I live in Norwich. Can I get express delivery?") == "Can I get express delivery?"
    assert asking_part("weight of the XJ-300") == "weight of the XJ-300"
