"""Which sentences a reranker reads, and where its scores go."""

from __future__ import annotations

from dataclasses import replace

import pytest

from knowledge.chunking.chunks import Sentence
from knowledge.quoting.deciding import decide
from knowledge.quoting.shortlist import shortlist, text_to_read, with_sentence_scores
from knowledge.search.ranking import SentenceScore
from knowledge.search.retrieval import Candidate
from tests.unit.knowledge.results import make_candidate, make_result


def passages(count: int, *, sentences: int = 4, is_other_language: bool = False) -> list[Candidate]:
    """Passages of different sentences; the first passage's are the best, and of each its first."""
    language = "zh" if is_other_language else "en"
    return [
        make_candidate(
            [
                (f"{language} passage {number} sentence {place}.", 0.9 - 0.05 * number - 0.01 * place)
                for place in range(sentences)
            ],
            rank=number + 1,
            language=language,
            is_other_language=is_other_language,
        )
        for number in range(count)
    ]


def test_the_most_promising_of_all_passages_and_some_of_the_other_language_are_chosen() -> None:
    chosen = shortlist(make_result(*passages(12), *passages(3, is_other_language=True)))
    assert len(chosen) == 16
    assert sum("zh passage" in text for text in chosen) == 3
    for number in range(3):
        assert sum(f"en passage {number} " in text for text in chosen) == 4
    assert sum("en passage 11 " in text for text in chosen) == 0


def test_the_answer_may_stand_in_the_last_passage_and_need_not_be_the_best_of_it() -> None:
    last = make_candidate([("It opens at nine.", 0.97), ("A locker keeps a parcel five days.", 0.95)], rank=18)
    chosen = shortlist(make_result(*passages(17), last))
    assert chosen.index("Returns: It opens at nine.") < chosen.index("Returns: A locker keeps a parcel five days.") < 4


def test_words_and_the_passage_count_beside_the_sentence() -> None:
    near = make_candidate([("Far sentence of a near passage.", 0.8)], cosine=0.95)
    plain = make_candidate([("Near sentence of a far passage.", 0.82)], cosine=0.5)
    worded = make_candidate([("Pots may be returned.", 0.8)], cosine=0.5, terms=[frozenset({"pots", "return"})])
    chosen = shortlist(make_result(plain, worded, near, terms=["pots", "return"]))
    assert [text.removeprefix("Returns: ")[:3] for text in chosen] == ["Far", "Pot", "Nea"]


def test_the_first_few_hold_some_of_each_language_the_best_first() -> None:
    chosen = shortlist(make_result(*passages(5), *passages(3, is_other_language=True)), most=4)
    assert [text.removeprefix("Returns: ") for text in chosen] == [
        "en passage 0 sentence 0.",
        "en passage 0 sentence 1.",
        "zh passage 0 sentence 0.",
        "en passage 0 sentence 2.",
    ]


def test_the_other_language_alone_is_read_too_and_few_sentences_are_all_read() -> None:
    assert len(shortlist(make_result(*passages(4, is_other_language=True)))) == 16
    assert len(shortlist(make_result(*passages(1, sentences=2)))) == 2
    assert shortlist(make_result()) == []


def test_a_sentence_that_stands_in_two_passages_is_read_once_and_scored_in_both() -> None:
    twice = [make_candidate([("Pots may be returned.", 0.9)]), make_candidate([("Pots may be returned.", 0.8)], rank=2)]
    result = make_result(*twice)
    assert shortlist(result) == ["Returns: Pots may be returned."]
    scored = with_sentence_scores(result, {"Returns: Pots may be returned.": SentenceScore(2.0, 1.0)})
    assert [each.sentence_scores for each in scored.candidates] == [(SentenceScore(2.0, 1.0),)] * 2


@pytest.mark.parametrize(
    ("first", "second", "is_behind"),
    [
        ("The pump costs 9 euros.", "It runs on batteries.", True),
        ("The pump costs 9 euros.", "Both run on batteries.", True),
        ("The pump costs 9 euros.", "Items run on batteries.", False),
        ("水泵售价九欧元。", "它使用电池。", True),
        ("水泵售价九欧元。", "该产品使用电池。", True),
        ("水泵售价九欧元。", "电池另售。", False),
    ],
)
def test_a_sentence_that_points_back_is_read_behind_the_one_before_it(first: str, second: str, is_behind: bool) -> None:
    candidate = replace(make_candidate([(first, 0.9), (second, 0.8)]), heading="Pumps")
    assert text_to_read(candidate, 0) == f"Returns › Pumps: {first}"
    assert (
        text_to_read(candidate, 1) == f"Returns › Pumps: {first} {second}"
        if is_behind
        else f"Returns › Pumps: {second}"
    )


def test_a_first_sentence_that_points_back_stands_alone_and_a_context_before_its_sentence() -> None:
    candidate = make_candidate([("It runs on batteries.", 0.9)])
    assert text_to_read(candidate, 0) == "Returns: It runs on batteries."
    asked = replace(candidate, sentences=(Sentence(0, 21, (0, 21), "Does the pump need power?"),))
    assert text_to_read(asked, 0) == "Returns: Does the pump need power? It runs on batteries."


def test_scores_stand_beside_their_sentences_and_passages_are_reordered_within_their_language() -> None:
    own, other = passages(2, sentences=2), passages(1, sentences=2, is_other_language=True)
    result = make_result(*own, *other)
    scores = {
        "Returns: en passage 0 sentence 1.": SentenceScore(-11.5, -2.0),
        "Returns: en passage 1 sentence 0.": SentenceScore(0.5, 0.25),
        "Returns: en passage 1 sentence 1.": SentenceScore(-3.0, 1.0),
        "Returns: zh passage 0 sentence 0.": SentenceScore(-4.0, -4.0),
    }
    reranked = with_sentence_scores(result, scores).candidates
    assert [each.chunk_id for each in reranked] == [each.chunk_id for each in (own[1], own[0], *other)]
    assert [(each.scores["rerank"].score, each.scores["rerank"].rank) for each in reranked] == [
        (0.5, 1),
        (-11.5, 2),
        (-4.0, 1),
    ]
    assert reranked[1].sentence_scores == (None, SentenceScore(-11.5, -2.0))


def test_a_passage_of_which_nothing_was_read_has_no_score() -> None:
    (candidate,) = with_sentence_scores(make_result(*passages(1)), {}).candidates
    assert (candidate.sentence_scores, "rerank" in candidate.scores) == ((None,) * 4, False)


def test_the_selection_says_what_the_reranker_thinks_of_its_best_sentence() -> None:
    result = make_result(make_candidate([("Pots may be returned.", 0.95), ("Soil may not.", 0.7)]))
    assert not {"relevance", "answers"} & decide(result).selection.features.keys()
    scored = with_sentence_scores(result, {"Returns: Pots may be returned.": SentenceScore(2.5, 1.5)})
    features = decide(scored).selection.features
    assert (features["relevance"], features["answers"]) == (2.5, 1.5)


def test_scores_go_with_their_sentences_where_only_some_are_looked_at() -> None:
    result = make_result(make_candidate([("It weighs 5 kg.", 0.95), ("The XJ-350 weighs 7 kg.", 0.7)]), terms=["weigh"])
    result = replace(result, query="What does the XJ-350 weigh?")
    texts = [text_to_read(result.candidates[0], place) for place in (0, 1)]
    scored = with_sentence_scores(result, {texts[0]: SentenceScore(-9.0, 1.0), texts[1]: SentenceScore(9.0, 3.0)})
    selection = decide(scored, gate={"threshold": {"en": 0.0, "zh": 0.0}}).selection
    assert (selection.quotes[0].text, selection.features["relevance"]) == ("The XJ-350 weighs 7 kg.", 9.0)
