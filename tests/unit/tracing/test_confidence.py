"""The parts of confidence: right for known numbers, and never lowered by strictly better evidence."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.unit.tracing.samples import TOKENS, make_candidate, make_scores, make_token
from tracing import confidence
from tracing.content import BANDS, Selection, TokenAlternative, TokenRecord

shares = st.floats(0, 1)
logprobs = st.floats(-20, 0)
ranks = st.integers(1, 50)
selections = st.builds(
    Selection, answerable=st.booleans(), score=shares, threshold=shares, margin=st.one_of(st.none(), shares)
)


def token(logprob: float, *alternatives: float) -> TokenRecord:
    return TokenRecord(0, "x", logprob, 1, tuple(TokenAlternative(n, "y", p) for n, p in enumerate(alternatives)))


def test_mean_logprob_is_the_logarithm_of_the_geometric_mean():
    tokens = [token(math.log(0.5)), token(math.log(0.125))]
    assert math.exp(confidence.mean_logprob(tokens)) == pytest.approx(0.25)


def test_weakest_span_names_the_first_lowest_window():
    span = confidence.weakest_span([token(p) for p in (-1, -1, -4, -4, -1, -4, -4)], width=2)
    assert (span.start, span.end, span.mean_logprob) == (2, 4, -4.0)


def test_weakest_span_of_a_short_answer_is_the_answer():
    span = confidence.weakest_span([token(-1.0), token(-3.0)])
    assert (span.start, span.end, span.mean_logprob) == (0, 2, -2.0)


def test_nothing_generated_means_no_token_part():
    assert confidence.token_part(()) is None
    assert confidence.entropy_at_least([token(-1.0)]) is None


def test_entropy_of_a_fully_listed_distribution_is_exact():
    half = math.log(0.5)
    assert confidence.entropy_at_least([token(half, half, half)]) == pytest.approx(math.log(2))


def test_entropy_counts_the_chosen_token_once_and_also_when_it_is_not_listed():
    outside = TokenRecord(99, "x", math.log(0.25), 3, (TokenAlternative(0, "y", math.log(0.75)),))
    exact = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
    assert confidence.entropy_at_least([outside]) == pytest.approx(exact)


@given(st.lists(st.floats(0.001, 1), min_size=6, max_size=12), st.integers(1, 5))
def test_entropy_at_least_is_never_above_the_true_entropy(weights, listed):
    total = math.fsum(weights)
    probabilities = sorted((weight / total for weight in weights), reverse=True)
    truth = -math.fsum(p * math.log(p) for p in probabilities)
    recorded = token(math.log(probabilities[0]), *(math.log(p) for p in probabilities[:listed]))
    assert confidence.entropy_at_least([recorded]) <= truth + 1e-9


@given(st.lists(logprobs, min_size=1, max_size=30), st.data())
def test_a_likelier_token_never_lowers_mean_or_weakest_span(values, data):
    index = data.draw(st.integers(0, len(values) - 1))
    better = [*values]
    better[index] = data.draw(st.floats(values[index], 0))
    before = confidence.token_part([token(value) for value in values])
    after = confidence.token_part([token(value) for value in better])
    assert after.mean_logprob >= before.mean_logprob
    assert after.weakest_span.mean_logprob >= before.weakest_span.mean_logprob


@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=5), st.floats(0.05, 0.9), shares)
def test_moving_unlisted_probability_to_the_favourite_never_raises_the_entropy(weights, listed, moved):
    total = math.fsum(weights)
    probabilities = sorted((weight / total * listed for weight in weights), reverse=True)
    better = [probabilities[0] + (1 - listed) * moved, *probabilities[1:]]
    before, after = (
        confidence.entropy_at_least([token(math.log(values[0]), *map(math.log, values))])
        for values in (probabilities, better)
    )
    assert after <= before + 1e-9


@given(ranks, st.one_of(st.none(), ranks), st.integers(1, 50))
def test_a_better_rank_of_a_used_passage_never_lowers_the_agreement(dense, lexical, better):
    assume(better <= dense)
    before = make_candidate(1, used=True, scores=make_scores(1, dense=dense, lexical=lexical))
    after = make_candidate(1, used=True, scores=make_scores(1, dense=better, lexical=lexical))
    others = [make_candidate(2, used=True), make_candidate(3)]
    assert confidence.rank_agreement([after, *others]) >= confidence.rank_agreement([before, *others])


@given(ranks, ranks)
def test_being_found_by_a_second_search_never_lowers_the_agreement(dense, lexical):
    alone = make_candidate(1, used=True, scores=make_scores(1, dense=dense, lexical=None))
    both = make_candidate(1, used=True, scores=make_scores(1, dense=dense, lexical=lexical))
    assert confidence.rank_agreement([both]) >= confidence.rank_agreement([alone])


@given(selections, st.data())
def test_a_higher_score_or_margin_never_lowers_the_band(selection, data):
    score = data.draw(st.floats(selection.score, 1))
    margin = None if selection.margin is None else data.draw(st.floats(selection.margin, 1))
    better = replace(selection, score=score, margin=margin)
    assert BANDS.index(confidence.band(better)) >= BANDS.index(confidence.band(selection))


@given(selections)
def test_passing_the_gate_never_lowers_the_band(selection):
    refused, passed = replace(selection, answerable=False), replace(selection, answerable=True)
    assert confidence.band(refused) == "low"
    assert BANDS.index(confidence.band(passed)) >= BANDS.index(confidence.band(refused))


@pytest.mark.parametrize(
    ("score", "margin", "expected"),
    [(0.39, 0.5, "low"), (0.41, 0.5, "medium"), (0.71, 0.04, "medium"), (0.71, 0.06, "high"), (0.71, None, "high")],
)
def test_band_follows_threshold_headroom_and_margin(score, margin, expected):
    assert confidence.band(Selection(answerable=True, score=score, threshold=0.4, margin=margin)) == expected


@given(selections)
def test_an_answer_across_languages_is_never_high_and_never_better_than_in_its_own(selection):
    across, own = (confidence.band(selection, across_languages=across) for across in (True, False))
    assert across == ("medium" if own == "high" else own)


def test_assess_knows_a_quote_of_another_language_from_one_that_was_only_found():
    selection = Selection(answerable=True, score=0.99, threshold=0.5, margin=0.2)
    found = make_candidate(1, is_other_language=True)
    assert confidence.assess(selection=selection, candidates=[found]).band == "high"
    quoted = confidence.assess(selection=selection, candidates=[replace(found, used=True, quoted=((0, 4),))])
    assert (quoted.band, quoted.across_languages) == ("medium", True)


@pytest.mark.parametrize(
    "selection",
    [None, Selection(answerable=True, score=None, threshold=None, margin=None)],
    ids=["absent", "unmeasured"],
)
def test_without_a_measurement_the_band_is_low(selection):
    assert confidence.band(selection) == "low"


def test_assess_keeps_the_parts_apart_and_claims_no_calibration():
    selection = Selection(answerable=True, score=0.9, threshold=0.4, margin=0.2)
    result = confidence.assess(selection=selection, candidates=[make_candidate(1, used=True)], tokens=TOKENS)
    assert (result.retrieval.score, result.retrieval.rank_agreement) == (0.9, 1.0)
    assert result.token_probability.weakest_span.end - result.token_probability.weakest_span.start == 5
    assert (result.groundedness, result.relevance, result.completeness) == (None, None, None)
    assert (result.band, result.calibrated) == ("high", False)


def test_a_weak_model_opinion_does_not_change_the_band():
    selection = Selection(answerable=True, score=0.9, threshold=0.4, margin=0.2)
    doubtful = [make_token("x", 0.01)] * 5
    assert confidence.assess(selection=selection, tokens=doubtful).band == "high"


@given(selections, st.booleans())
def test_what_the_quotes_do_not_mention_makes_the_band_low(selection, answerable):
    strong = replace(selection, answerable=answerable)
    measured = confidence.assess(selection=strong, tokens=TOKENS, is_unmentioned=True)
    assert (measured.band, measured.is_unmentioned) == ("low", True)
    mentioned = confidence.assess(selection=strong, tokens=TOKENS)
    assert BANDS.index(mentioned.band) >= BANDS.index(measured.band)


@pytest.mark.parametrize(
    ("score", "margin", "band"),
    [(0.96, 0.71, "high"), (0.94, 0.9, "medium"), (0.99, 0.69, "medium"), (0.4, 1.0, "low")],
)
def test_high_wants_more_of_what_a_reranker_read(score, margin, band):
    reranked = Selection(
        answerable=score >= 0.5, score=score, threshold=0.5, margin=margin, features={"answers": 1.0, "relevance": 1.0}
    )
    result = confidence.assess(selection=reranked, candidates=[make_candidate(1, used=True)])
    assert (result.band, result.retrieval.is_reranked) == (band, True)
