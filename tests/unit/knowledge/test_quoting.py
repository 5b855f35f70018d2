"""Which sentences are quoted, and when nothing is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from knowledge.chunking.chunks import Sentence
from knowledge.quoting.selection import (
    SMALL_MARGIN,
    Quote,
    fitting_quotes,
    gate_scores,
    join_quotes,
    select_quotes,
    whole_quote,
)
from knowledge.search.ranking import SentenceScore
from knowledge.search.retrieval import Candidate
from tests.unit.knowledge.results import make_candidate, make_result

CERTAIN = {"threshold": 0.0}
NEVER = {"threshold": 1.0}


def quoted(selection: object) -> list[str]:
    return [quote.text for quote in selection.quotes]  # type: ignore[attr-defined]


def test_one_sentence_is_quoted_when_it_clearly_leads() -> None:
    result = make_result(make_candidate([("Pots break.", 0.80), ("Return them in a month.", 0.95)]))
    selection = select_quotes(result, gate=CERTAIN)
    assert quoted(selection) == ["Return them in a month."]
    assert selection.margin > SMALL_MARGIN


def test_two_sentences_are_quoted_in_reading_order_when_the_margin_is_small() -> None:
    result = make_result(make_candidate([("Pots may be returned.", 0.93), ("Within a month.", 0.95), ("Hello.", 0.7)]))
    selection = select_quotes(result, gate=CERTAIN)
    assert quoted(selection) == ["Pots may be returned.", "Within a month."]
    assert selection.margin <= SMALL_MARGIN


def test_sentences_of_two_passages_come_best_first() -> None:
    first = make_candidate([("Second best.", 0.93)], rank=1)
    second = make_candidate([("Best.", 0.97)], rank=2)
    assert quoted(select_quotes(make_result(first, second), gate=CERTAIN)) == ["Best.", "Second best."]


def test_quotes_are_cut_from_the_passage_word_for_word() -> None:
    candidate = make_candidate([("Pots break.", 0.80), ("Return them in a month.", 0.95)])
    (quote,) = select_quotes(make_result(candidate), gate=CERTAIN).quotes
    assert candidate.text[quote.start : quote.end] == quote.text


def test_a_shared_word_decides_between_equal_meanings() -> None:
    candidate = make_candidate(
        [("We sell pots.", 0.9), ("Refunds take a week.", 0.9)], terms=[frozenset({"pot"}), frozenset({"refund"})]
    )
    selection = select_quotes(make_result(candidate, terms=["refund"]), gate=CERTAIN)
    best = max(selection.quotes, key=lambda quote: quote.score)
    assert best.text == "Refunds take a week."


@pytest.mark.parametrize(("gate", "answerable"), [(CERTAIN, True), (NEVER, False)])
def test_the_assistants_own_threshold_decides(gate: dict[str, float], answerable: bool) -> None:
    result = make_result(make_candidate([("Return them in a month.", 0.95)]))
    assert select_quotes(result, gate=gate).answerable is answerable


def test_nothing_found_quotes_nothing_and_is_not_answerable() -> None:
    selection = select_quotes(make_result())
    assert (selection.quotes, selection.answerable, selection.score) == ((), False, 0.0)


def test_another_language_is_quoted_only_when_it_clearly_leads() -> None:
    own = make_candidate([("Return them in a month.", 0.95)], cosine=0.95)
    weak = make_candidate([("三十天内可退。", 0.1)], cosine=0.1, language="zh", is_other_language=True)
    strong = make_candidate([("三十天内可退。", 0.99)], cosine=0.99, language="zh", is_other_language=True)
    unrelated = make_candidate([("Hello.", 0.5)], cosine=0.5)
    assert select_quotes(make_result(own, weak)).language == "en"
    selection = select_quotes(make_result(unrelated, strong))
    assert (selection.language, selection.is_other_language) == ("zh", True)


def test_gate_scores_name_each_kind_of_evidence_once() -> None:
    own = make_candidate([("Return them in a month.", 0.95)])
    other = make_candidate([("三十天内可退。", 0.9)], language="zh", is_other_language=True)
    assert set(gate_scores(make_result(own, other))) == {"en", "cross"}
    assert set(gate_scores(make_result(own, model="another-model"))) == {"words"}
    assert set(gate_scores(make_result(own, embedded=False))) == {"words"}


def with_sentences(candidate: Candidate, *sentences: Sentence) -> Candidate:
    return replace(candidate, sentences=sentences)


def test_the_answer_is_quoted_when_its_question_and_its_words_fit() -> None:
    text = "May I return pots? Within a month."
    candidate = with_sentences(make_candidate([(text, 0.95)]), Sentence(19, 34, (19, 34), "May I return pots?"))
    (quote,) = select_quotes(make_result(candidate), gate=CERTAIN).quotes
    assert (quote.text, quote.context) == ("Within a month.", "May I return pots?")
    assert candidate.compared == ("May I return pots? Within a month.",)


def test_a_procedure_is_quoted_once_and_whole_whichever_step_fits() -> None:
    candidate = make_candidate([("1. Unscrew it.", 0.95), ("2. Lift it.", 0.94), ("Then rest.", 0.7)])
    whole = (0, candidate.sentences[1].end)
    steps = [replace(sentence, quoted=whole) for sentence in candidate.sentences[:2]]
    candidate = with_sentences(candidate, *steps, candidate.sentences[2])
    assert quoted(select_quotes(make_result(candidate), gate=CERTAIN)) == ["1. Unscrew it. 2. Lift it."]


def test_an_answer_to_another_question_is_not_appended() -> None:
    candidate = make_candidate([("Yes, with two.", 0.95), ("Not at the moment.", 0.94)])
    first, second = candidate.sentences
    pairs = (replace(first, context="Vouchers?"), replace(second, context="Norway?"))
    assert quoted(select_quotes(make_result(with_sentences(candidate, *pairs)), gate=CERTAIN)) == ["Yes, with two."]
    under_headings = [
        replace(make_candidate([(text, cosine)], rank=rank), heading=f"Answers › {heading}")
        for text, cosine, rank, heading in (("Yes.", 0.95, 1, "Vouchers?"), ("No.", 0.94, 2, "Norway?"))
    ]
    assert quoted(select_quotes(make_result(*under_headings), gate=CERTAIN)) == ["Yes."]


def test_the_same_words_are_not_quoted_twice() -> None:
    first, second = (make_candidate([("Within a month.", 0.95)], rank=rank) for rank in (1, 2))
    assert quoted(select_quotes(make_result(first, second), gate=CERTAIN)) == ["Within a month."]


@pytest.mark.parametrize(
    ("texts", "language", "joined"),
    [
        (["One.", "Two."], "en", "One. Two."),
        (["一。", "二。"], "zh", "一。二。"),
        (["Small — Rent: €6", "Tall — Rent: €15"], "en", "Small — Rent: €6\nTall — Rent: €15"),
        (["To open it:\n1. Pull.", "Then rest."], "en", "To open it:\n1. Pull.\nThen rest."),
    ],
)
def test_rows_and_lists_stand_on_lines_of_their_own(texts: list[str], language: str, joined: str) -> None:
    candidates = [make_candidate([(text, 0.9)], language=language) for text in texts]
    assert join_quotes([whole_quote(each, each.sentences[0]) for each in candidates]) == joined


def test_the_parts_of_a_passage_are_all_of_it() -> None:
    candidate = make_candidate([("Why? Because.", 0.9), ("It is so.", 0.9)])
    first, second = candidate.sentences
    candidate = with_sentences(candidate, replace(first, start=5, quoted=(5, 13), context="Why?"), second)
    assert [candidate.text[start:end] for start, end in candidate.parts] == ["Why? Because.", " It is so."]


def test_a_procedure_of_another_passage_is_not_appended() -> None:
    first = make_candidate([("1. Lift it.\n2. Press it.", 0.95)], rank=1)
    second = make_candidate([("1. Turn it.\n2. Pull it.", 0.94)], rank=2)
    assert quoted(select_quotes(make_result(first, second), gate=CERTAIN)) == ["1. Lift it.\n2. Press it."]


def quote(text: str, score: float) -> Quote:
    return Quote(make_candidate([("A sentence.", 0.9)]), 0, 11, text, score=score)


def test_quotes_that_are_too_much_for_the_engine_lose_the_weaker_one_then_their_end() -> None:
    first, second = quote("Plant 1 needs two spoons.", 0.7), quote("Plant 2 needs three spoons of it.", 0.9)
    assert fitting_quotes((first, second), count_tokens=len, most=80) == (first, second)
    assert fitting_quotes((first, second), count_tokens=len, most=40) == (second,)
    (cut,) = fitting_quotes((first, second), count_tokens=len, most=20)
    assert (cut.text, cut.candidate) == ("Plant 2 needs …", second.candidate)
    assert fitting_quotes((), count_tokens=len, most=20) == ()


@pytest.mark.parametrize("text", ["一" * 4000, "needs 1 spoon, " * 400, "x" * 4000, "line\n" * 900, "1234567890" * 300])
def test_text_without_full_stops_is_cut_to_what_fits(text: str) -> None:
    (cut,) = fitting_quotes((quote(text, 0.9),), count_tokens=len, most=512)
    assert len(cut.text) <= 512
    assert len(cut.text) > 256
    assert text.startswith(cut.text.removesuffix(" …"))


def reranked(candidate: Candidate, *scores: tuple[float, float] | None) -> Candidate:
    """With the log-odds (relevance, answers) that a reranker gave each sentence, None for one that it did not read."""
    return replace(candidate, sentence_scores=tuple(None if each is None else SentenceScore(*each) for each in scores))


def test_what_a_reranker_read_decides_over_vectors() -> None:
    candidate = make_candidate([("Pots break.", 0.92), ("Return them in a month.", 0.90), ("Unread.", 0.99)])
    result = make_result(reranked(candidate, (-6.0, -4.0), (3.0, 2.0), None))
    selection = select_quotes(result, gate=CERTAIN)
    assert quoted(selection) == ["Return them in a month."]
    assert selection.margin > 0.8
    assert (selection.features["relevance"], selection.features["answers"]) == (3.0, 2.0)


@pytest.mark.parametrize(("second", "count"), [((2.9, 9.0), 2), ((-2.0, 2.0), 2), ((-4.0, 9.0), 1), (None, 1)])
def test_a_second_sentence_follows_when_a_reranker_finds_it_nearly_as_good(
    second: tuple[float, float] | None, count: int
) -> None:
    candidate = make_candidate([("Within a month.", 0.9), ("Pots may be returned.", 0.9)])
    result = make_result(reranked(candidate, (3.0, 9.0), second))
    assert len(quoted(select_quotes(result, gate=CERTAIN))) == count


def test_reranked_evidence_is_a_kind_of_its_own_with_its_own_threshold() -> None:
    own = reranked(make_candidate([("Pots may be returned.", 0.9)]), (1.0, 1.0))
    other = reranked(make_candidate([("可以退货。", 0.9)], language="zh", is_other_language=True), (0.0, 0.0))
    result = make_result(own, other)
    assert set(gate_scores(result)) == {"en-reranked", "cross-reranked"}
    assert not select_quotes(result, gate={"threshold": {"en-reranked": 1.0, "cross-reranked": 1.0}}).answerable
    assert select_quotes(result, gate={"threshold": {"en": 1.0, "en-reranked": 0.0}}).answerable
