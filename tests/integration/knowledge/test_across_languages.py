"""Codes, amounts and Latin words find passages in the other language; amounts and codes are found however they are written."""

from __future__ import annotations

import pytest

from tests.factories import make_tenant
from tests.integration.knowledge.articles import find, publish, titles

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("question", "right", "wrong", "language"),
    [
        ("QF-310C多少钱？", "The QF310C costs 45 euros.", "The QF-310 costs 30 euros.", "en"),
        ("买了三天还能换吗？", "Swaps are possible within 3 days.", "Swaps take 3 hours.", "en"),
        ("两百块能包邮吗？", "Orders of ¥200 or more ship free.", "There are 200 chairs.", "en"),
        ("支持Bluetooth吗？", "The lamp has Bluetooth.", "The lamp has a plug.", "en"),
        ("What does the qf-310c weigh?", "QF-310C重5公斤。", "QF-310重3公斤。", "zh"),
        ("Is it returned within 7 days?", "一周内可以退货。", "7个月内可以退货。", "zh"),
    ],
)
def test_what_is_no_languages_own_is_found_in_the_other_one(
    question: str, right: str, wrong: str, language: str
) -> None:
    tenant = make_tenant()
    publish(tenant, "Wrong", wrong, language=language, embed=False)
    publish(tenant, "Right", right, language=language, embed=False)
    found = find(tenant, question, by_meaning=False)
    assert [candidate.title for candidate in found.other_language][:1] == ["Right"]
    assert not found.own_language
    assert found.candidates[0].scores["lexical"].rank == 1


def test_an_english_word_in_a_chinese_article_finds_nothing() -> None:
    tenant = make_tenant()
    publish(tenant, "促销", "Summer sale 期间包邮。", language="zh", embed=False)
    assert titles(find(tenant, "When is the summer sale?", by_meaning=False)) == []


def test_another_companys_passages_are_not_found_by_a_code() -> None:
    publish(make_tenant("theirs"), "Theirs", "The QF-310C costs 45 euros.", embed=False)
    assert titles(find(make_tenant("ours"), "QF-310C多少钱？", by_meaning=False)) == []


@pytest.mark.parametrize(
    ("question", "body", "language"),
    [
        ("三十块", "每单30元。", "zh"),
        ("RMB 30", "每单收三十元。", "zh"),
        ("5公斤", "限重10斤。", "zh"),
        ("2h", "需要两个小时。", "zh"),
        ("ＱＦ－３１０Ｃ", "qf310c泵", "zh"),
        ("wifi密码", "Wi-Fi密码在背面", "zh"),
        ("5 kilos", "It weighs 5kg.", "en"),
        ("30 euros", "A parcel is €30.", "en"),
        ("qf310c", "The QF-310C pump.", "en"),
        ("email", "Write an e-mail.", "en"),
        ("half a year", "For 6 months.", "en"),
        ("iPhone15", "For the iPhone 15.", "en"),
    ],
)
def test_every_spelling_is_found_by_words(question: str, body: str, language: str) -> None:
    tenant = make_tenant()
    publish(tenant, "X", body, language=language, embed=False)
    assert titles(find(tenant, question, by_meaning=False)) == ["X"]


@pytest.mark.parametrize(
    ("question", "body"),
    [("30元", "保质期30天。"), ("3天", "等3小时。"), ("QF-310", "泵 QF310C。"), ("30块", "30公斤。")],
)
def test_what_only_looks_alike_is_not_found(question: str, body: str) -> None:
    tenant = make_tenant()
    publish(tenant, "X", body, language="zh", embed=False)
    found = find(tenant, question, by_meaning=False)
    assert not {term.text for term in found.terms if term.frequency} & {"30cny", "3d", "qf310"}


def test_the_languages_take_turns_among_the_candidates() -> None:
    tenant = make_tenant()
    for number in range(6):
        publish(tenant, f"Returns {number}", f"Returns are accepted within {number} weeks.")
        publish(tenant, f"退货{number}", f"退货请在{number}周内。", language="zh")
    found = find(tenant, "How do returns work?")
    assert [candidate.language for candidate in found.candidates] == ["en", "zh"] * 4 + ["en"]
