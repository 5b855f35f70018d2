"""Topics, kind and coverage are counted from words, and better evidence never lowers them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tracing.content import QuestionTerm
from tracing.factors import answer_kind, covered, key_topics

WORDS = ["deliveri", "cost", "express", "refund", "paper", "bag"]
terms = st.lists(
    st.builds(QuestionTerm, st.sampled_from(WORDS), st.floats(0, 1)), max_size=6, unique_by=lambda term: term.text
)


def test_topics_are_the_question_s_own_words_the_weightiest_first() -> None:
    weighed = [QuestionTerm("deliveri", 0.4), QuestionTerm("express", 0.7), QuestionTerm("cost", 0.2)]

    topics = key_topics("How much does Express delivery cost?", weighed, {"deliveri", "express"}, language="en")

    assert topics == ["express", "delivery"]


def test_chinese_topics_join_overlapping_pairs() -> None:
    weighed = [
        QuestionTerm("退货", 0.5),
        QuestionTerm("货运", 0.9),
        QuestionTerm("运费", 0.8),
        QuestionTerm("多少", 0.1),
    ]

    topics = key_topics("退货运费多少", weighed, {"退货", "货运", "运费"}, language="zh")

    assert topics == ["退货运费"]


def test_words_without_a_passage_are_no_topics() -> None:
    assert key_topics("Any unicorns?", [QuestionTerm("unicorn", 1.0)], {"deliveri"}, language="en") == []


def test_question_without_terms_is_not_measured() -> None:
    assert covered([], {"deliveri"}) is None


@given(terms, st.sets(st.sampled_from(WORDS)), st.sampled_from(WORDS))
def test_one_more_covered_word_never_lowers_coverage(weighed: list[QuestionTerm], found: set[str], word: str) -> None:
    before, after = covered(weighed, found), covered(weighed, found | {word})

    assert (before is None and after is None) or (before is not None and after is not None and after >= before)
    assert before is None or 0.0 <= before <= 1.0 + 1e-9


def test_kinds_follow_their_rules() -> None:
    facts = {"is_refusal": False, "is_cut_off": False, "is_handed_off": False, "answer": "Yes.", "quotes": True}

    assert answer_kind(**facts, relevance=0.9) == "direct"
    assert answer_kind(**facts, relevance=None) == "direct"
    assert answer_kind(**facts, relevance=0.4) == "partial"
    assert answer_kind(**facts | {"is_cut_off": True}, relevance=0.9) == "partial"
    assert answer_kind(**facts | {"is_refusal": True}, relevance=None) == "refusal"
    assert answer_kind(**facts | {"is_handed_off": True}, relevance=None) == "hand_off"
    assert answer_kind(**facts | {"answer": "Which plan?", "quotes": False}, relevance=0.9) == "clarifying"
