from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.cached_answers.same_question import (
    content_terms,
    deciding_words_agree,
    differing_terms,
    looks_personal,
    normalised,
)

BASE = "How much does express delivery cost?"


@pytest.mark.parametrize(
    ("question", "same"),
    [
        (BASE, "  how much does\texpress delivery COST"),
        (BASE, "Ｈｏｗ ｍｕｃｈ does express delivery cost？？"),
        ("What's the fee?", "What’s the fee"),
        ("运费是多少？", "运费 是 多少。"),
        ("ＡＰＩ密钥在哪里", "api密钥在哪里?"),
    ],
)
def test_what_does_not_change_a_question_is_normalised_away(question, same):
    assert normalised(question) == normalised(same)


@pytest.mark.parametrize(
    ("question", "other"),
    [
        (BASE, "How much does express delivery cost me?"),
        ("Is 5 % too much", "Is 5 too much"),
        ("C", "C++"),
        ("re-turn", "return"),
        ("运费", "运费多少"),
    ],
)
def test_what_may_change_a_question_stays(question, other):
    assert normalised(question) != normalised(other)


@given(st.text(max_size=60))
def test_normalising_again_changes_nothing(text):
    assert normalised(normalised(text)) == normalised(text)


@given(st.text(max_size=60))
def test_a_question_does_not_vanish(text):
    assert bool(normalised(text)) == bool(normalised(text.strip()))


@given(st.text(max_size=60))
def test_every_question_agrees_with_itself(text):
    for language in ("en", "zh"):
        assert deciding_words_agree(text, text, language)


@given(st.text(max_size=40), st.text(max_size=40))
def test_agreement_has_no_direction(first, second):
    for language in ("en", "zh"):
        assert deciding_words_agree(first, second, language) == deciding_words_agree(second, first, language)


@pytest.mark.parametrize(
    "question",
    [
        "Where is the parcel of ana.berg@example.com?",
        "Where is order 483-201?",
        "Call me on +353 86 123 4567",
        "My name is Ana, where is my parcel?",
        "我叫王芳，我的包裹在哪里？",
        "订单２０２４１２３４在哪里？",
        "See https://example.com/orders",
        "word " * 80,
    ],
)
def test_what_belongs_to_one_person_is_recognised(question):
    assert looks_personal(question)


@pytest.mark.parametrize("question", [BASE, "Is delivery free from 60 euros?", "退货期限是30天吗？", "@ what hour?"])
def test_an_ordinary_question_is_not_personal(question):
    assert not looks_personal(question)


@pytest.mark.parametrize(
    ("first", "second", "language"),
    [
        ("Can I return it?", "Can't I return it?", "en"),
        ("Can I pay before delivery?", "Can I pay after delivery?", "en"),
        ("When is my refund due?", "Where is my refund due?", "en"),
        ("How long is the warranty?", "How much is the warranty?", "en"),
        ("Can I return it within 14 days?", "Can I return it within 30 days?", "en"),
        ("Can I exchange a voucher for points?", "Can I exchange points for a voucher?", "en"),
        ("Can I return one pot?", "Can I return two pots?", "en"),
        ("可以退货吗？", "不可以退货吗？", "zh"),
        ("从上海寄到北京要多久？", "从北京寄到上海要多久？", "zh"),
        ("多少天能退？", "多久能退？", "zh"),
        ("三天内能退吗？", "七天内能退吗？", "zh"),
        ("付款前能改吗？", "付款后能改吗？", "zh"),
    ],
)
def test_words_that_decide_must_agree(first, second, language):
    assert not deciding_words_agree(first, second, language)


@pytest.mark.parametrize(
    ("first", "second", "language"),
    [
        (BASE, "Could you please tell me how much express delivery costs?", "en"),
        ("Do you ship to Spain?", "Hello, do you ship to Spain, please?", "en"),
        ("怎么退货？", "请问如何退货", "zh"),
        ("能不能退货？", "可以退货吗？", "zh"),
        ("快递费用多少？", "快递的费用是多少？", "zh"),
    ],
)
def test_other_words_for_the_same_agree(first, second, language):
    assert deciding_words_agree(first, second, language)


def test_the_terms_that_differ_are_those_of_the_subject():
    express = content_terms("", "en", {"express", "deliveri", "pleas", "cost"})
    standard = content_terms("", "en", {"standard", "deliveri", "cost", "know"})
    assert differing_terms(express, standard) == {"express", "standard"}


def test_a_pair_across_a_dropped_word_does_not_differ():
    first, second = content_terms("快递费用多少", "zh", ()), content_terms("快递的费用是多少", "zh", ())
    assert differing_terms(first, second) == frozenset()
    assert differing_terms(first, content_terms("标准费用多少", "zh", ())) > {"快递", "标准"}
