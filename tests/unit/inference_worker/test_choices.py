"""Asking back which of several things is meant, and understanding what is answered."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from conversations.models import Author, Message
from inference_worker.answering.choices import choice_made, clarification, content_words
from inference_worker.answering.results import Found
from knowledge.quoting.selection import select_quotes
from knowledge.search.retrieval import Candidate
from tests.unit.knowledge.results import make_candidate, make_result

STANDARD = ("Standard delivery", "Standard delivery takes three days.")
ABROAD = ("Delivery abroad", "Delivery abroad takes two weeks.")
EXPRESS = ("Express delivery", "Express arrives on the next day.")
ZH = (("普通配送", "普通配送三天送到。"), ("海外配送", "海外配送两周送到。"))


def passage(
    named: tuple[str, str], cosine: float = 0.9, *, heading: str = "", language: str = "en", **fields: Any
) -> Candidate:
    title, sentence = named
    return replace(
        make_candidate([(sentence, cosine)], cosine=0.9, language=language), title=title, heading=heading, **fields
    )


def found(*candidates: Candidate, language: str = "en", **selected: Any) -> Found:
    result = make_result(*candidates, language=language)
    return Found("", result, replace(select_quotes(result), **{"answerable": True, **selected}))


def test_a_short_question_that_fits_two_things_equally_asks_which_is_meant() -> None:
    asked_back = clarification("delivery time", found(passage(STANDARD), passage(ABROAD, 0.895)))
    assert asked_back is not None
    assert asked_back.text == "Do you mean: Standard delivery, or Delivery abroad?"
    assert [quote.text for quote in asked_back.quotes] == [STANDARD[1], ABROAD[1]]


def test_three_things_are_listed_and_chinese_is_asked_in_chinese() -> None:
    asked_back = clarification("delivery when?", found(passage(STANDARD), passage(ABROAD), passage(EXPRESS)))
    assert asked_back is not None
    assert asked_back.text == "Do you mean: Standard delivery, Delivery abroad, or Express delivery?"
    asked_back = clarification("配送时间", found(*(passage(each, language="zh") for each in ZH), language="zh"))
    assert asked_back is not None
    assert asked_back.text == "您想问的是：普通配送，还是海外配送？"


def test_sections_of_one_article_are_told_apart_by_their_headings() -> None:
    one = passage(("Delivery", STANDARD[1]), heading="Times › Standard delivery")
    other = replace(passage(("Delivery", ABROAD[1]), heading="Times › Delivery abroad"), article_id=one.article_id)
    asked_back = clarification("delivery time", found(one, other))
    assert asked_back is not None
    assert asked_back.text == "Do you mean: Standard delivery, or Delivery abroad?"


@pytest.mark.parametrize(
    ("question", "candidates", "selected"),
    [
        ("express delivery time", (passage(STANDARD), passage(EXPRESS)), {}),
        ("delivery time", (passage(STANDARD), passage(("Missing parcels", "A parcel is missing."))), {}),
        ("How long does the delivery of large pots take?", (passage(STANDARD), passage(ABROAD)), {}),
        ("delivery time", (passage(STANDARD), passage(ABROAD, 0.8)), {}),
        ("delivery time", (passage(STANDARD),), {}),
        ("delivery time", (passage(STANDARD), passage(STANDARD)), {}),
        ("payment time", (passage(STANDARD), passage(ABROAD)), {}),
        ("delivery in weeks", (passage(STANDARD), passage(ABROAD)), {}),
        ("tractor", (passage(STANDARD), passage(ABROAD)), {"answerable": False}),
        ("delivery time", (passage(STANDARD), passage(ABROAD)), {"is_other_language": True}),
        ("delivery time", (), {}),
    ],
    ids=[
        "named",
        "no siblings",
        "long",
        "one leads",
        "alone",
        "same title",
        "about something else",
        "told by one",
        "unknown",
        "other language",
        "nothing",
    ],
)
def test_otherwise_nothing_is_asked_back(
    question: str, candidates: tuple[Candidate, ...], selected: dict[str, Any]
) -> None:
    assert clarification(question, found(*candidates, **selected)) is None


def test_a_price_without_a_thing_is_asked_back_although_it_would_be_declined() -> None:
    prices = (
        passage(("Basic plan?", "It costs 5 euros.")), passage(("Lessons", "They cost 9 euros.")), passage(STANDARD)
    )  # fmt: skip
    asked_back = clarification("How much does it cost?", found(*prices, answerable=False))
    assert asked_back is not None
    assert asked_back.text == "Do you mean: Basic plan, or Lessons?"


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("How much is it?", []),
        ("delivery time", ["delivery", "time"]),
        ("多少钱", []),
        ("運費", ["运", "费"]),
        ("", []),
    ],
)
def test_content_is_what_says_what_a_question_is_about(question: str, said: list[str]) -> None:
    assert content_words(question) == said


def asked_back(*titles: str, kind: str = "clarifying") -> Message:
    return said_by(Author.AI, kind=kind, sources=[{"title": title, "heading": ""} for title in titles])


def said_by(author: Author, **fields: object) -> Message:
    return cast(Message, SimpleNamespace(author=author, **fields))


TITLES = ("Standard delivery", "Delivery abroad")


@pytest.mark.parametrize(
    ("answer", "chosen"),
    [
        ("the first one", TITLES[0]),
        ("1", TITLES[0]),
        ("The second, please", TITLES[1]),
        ("the latter", TITLES[1]),
        ("Standard delivery", TITLES[0]),
        ("standard", TITLES[0]),
        ("I mean abroad", TITLES[1]),
        ("what does a pot cost?", None),
        ("delivery", None),
        ("the third one", None),
        ("standard or abroad, both", None),
        ("x" * 20_000, None),
        ("", None),
    ],
)
def test_the_answer_names_a_choice_or_its_place(answer: str, chosen: str | None) -> None:
    assert choice_made(answer, [asked_back(*TITLES)]) == chosen


@pytest.mark.parametrize(
    ("answer", "chosen"),
    [("第一个", "普通配送"), ("第二个", "海外配送"), ("海外的", "海外配送"), ("海外配送", "海外配送"), ("运费", None)],
)
def test_it_does_so_in_chinese(answer: str, chosen: str | None) -> None:
    assert choice_made(answer, [asked_back("普通配送", "海外配送")]) == chosen


def test_only_a_question_back_is_answered_by_a_choice() -> None:
    assert choice_made("the first", [asked_back(*TITLES, kind="direct")]) is None
    assert choice_made("the first", [said_by(Author.PERSON, kind="")]) is None
    assert choice_made("the first", []) is None
