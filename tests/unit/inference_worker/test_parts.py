"""Answers to several questions at once."""

from __future__ import annotations

from dataclasses import replace

from inference_worker.answering.parts import MOST_SHOWN, together, what_is_left, what_is_open
from inference_worker.answering.results import Found, Part
from knowledge.quoting.mentions import Mention, Verdict
from knowledge.quoting.selection import select_quotes
from tests.unit.knowledge.results import make_candidate, make_result


def part(question: str, text: str, *, answerable: bool = True, score: float = 0.9, term: str = "pot") -> Part:
    result = make_result(make_candidate([(text, 0.9)]), terms=[term])
    selection = replace(select_quotes(result), answerable=answerable, score=score)
    return Part(question, Found(question, result, selection, Verdict(missing=(Mention(term, "name"),))))


def test_the_answered_parts_are_quoted_in_the_order_of_the_message() -> None:
    parts = (
        part("A?", "First.", term="a"), part("B?", "Nothing.", answerable=False, term="b"), part("C?", "Third.", term="c")
    )  # fmt: skip
    found = together("A? B? C?", parts)
    assert [quote.text for quote in found.selection.quotes] == ["First.", "Third."]
    assert found.open_parts == ("B?",)
    assert found.query == "A?\nB?\nC?"
    assert [each.text for each in found.result.candidates] == ["First.", "Third.", "Nothing."]
    assert {term.text for term in found.result.terms} == {"a", "b", "c"}
    assert [each.text for each in found.verdict.missing] == ["a", "c"]


def test_it_is_as_sure_as_the_least_sure_part() -> None:
    found = together("", (part("A?", "First.", score=0.95), part("B?", "Second.", score=0.6)))
    assert (found.selection.answerable, found.selection.score) == (True, 0.6)
    assert found.open_parts == ()


def test_the_same_quote_stands_once() -> None:
    one = part("A?", "First.")
    found = together("", (one, replace(one, question="B?")))
    assert [quote.text for quote in found.selection.quotes] == ["First."]


def test_what_is_left_open_is_said_in_the_customers_words() -> None:
    assert what_is_open((), "en") == ""
    assert what_is_open(("Do you deliver to Mars?",), "en") == (
        "I found nothing in our articles about: “Do you deliver to Mars”. A person can tell you."
    )
    assert what_is_open(("送到火星吗？", "多重？"), "zh") == (
        "以下内容我在文章中没有找到：“送到火星吗”、“多重”。您可以咨询人工客服。"
    )
    assert f"“{'x' * MOST_SHOWN}…”" in what_is_open(("x" * 20_000,), "en")


def test_what_was_not_looked_at_is_said_with_what_to_do() -> None:
    assert what_is_left((), "en") == ""
    assert what_is_left(("Do you deliver to Mars?", "How heavy is it?"), "en") == (
        "I answer up to 3 questions at a time. Not looked at yet: “Do you deliver to Mars”, “How heavy is it”. Send them again "
        "one by one and I will answer each."
    )
    assert what_is_left(("送到火星吗？", "多重？"), "zh") == (
        "我一次最多回答3个问题，以下问题还没有处理：“送到火星吗”、“多重”。请逐个再发一次，我会一一回答。"
    )
    many = what_is_left([f"Question {number}?" for number in range(9)], "en")
    assert ("“Question 4” and 4 more." in many, "Question 5" in many) == (True, False)
    assert "“问题4”等，另有4个。" in what_is_left([f"问题{number}？" for number in range(9)], "zh")
