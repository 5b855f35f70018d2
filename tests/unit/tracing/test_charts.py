"""What the report draws and prints."""

from __future__ import annotations

import math

import pytest
from django.utils import translation

from tests.unit.tracing.samples import TOKENS, make_candidate, make_content, make_refusal, make_scores
from tracing import charts, words
from tracing.charts import Bar, Piece
from tracing.content import ScoreRecord, StageRecord
from tracing.parts import confidence_parts, not_measured
from tracing.read import StepShape, TraceShape
from tracing.report import opened_report, timeline_rows, visible


def test_timeline_bars_share_one_axis_and_never_vanish():
    bars = charts.timeline([(0.0, 10.0), (10.0, 0.0), (10.0, 90.0)], total=100.0)
    assert bars == [Bar(0, 100), Bar(100, charts.THINNEST), Bar(100, 900)]


def test_timeline_bars_stay_inside_also_when_a_step_outlasts_the_total():
    bars = charts.timeline([(90.0, 30.0), (120.0, 0.0)], total=100.0)
    assert [bar.x + bar.width for bar in bars] == [1000, 1000]


def test_an_empty_timeline_has_no_bars():
    assert charts.timeline([], total=0.0) == []


def test_score_bars_begin_at_zero_and_the_highest_is_full():
    assert charts.score_bars([ScoreRecord(0.4, 1), None, ScoreRecord(0.1, 2)]) == [Bar(0, 1000), None, Bar(0, 250)]


def test_score_dots_lie_between_the_lowest_and_the_highest():
    assert charts.score_dots([ScoreRecord(0.9, 1), ScoreRecord(0.8, 3), None, ScoreRecord(0.85, 2)]) == [
        1000,
        0,
        None,
        500,
    ]
    assert charts.score_dots([ScoreRecord(0.9, 1)]) == [1000]


@pytest.mark.parametrize(("probability", "band"), [(1.0, 1), (0.9, 1), (0.899, 2), (0.5, 2), (0.1, 3), (0.0999, 4)])
def test_token_bands_begin_at_their_limits(probability, band):
    assert charts.token_band(math.log(probability) + 1e-12) == band


def test_token_columns_stand_on_the_base_line():
    columns = charts.token_columns(TOKENS)
    assert all(column.y + column.height == charts.FULL for column in columns)
    assert [column.x for column in columns] == list(range(0, 80, 10))


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ([], [Piece("abcdef", False)]),
        ([(0, 6)], [Piece("abcdef", True)]),
        ([(1, 3), (2, 4)], [Piece("a", False), Piece("bcd", True), Piece("ef", False)]),
        ([(4, 99), (-3, 1)], [Piece("a", True), Piece("bcd", False), Piece("ef", True)]),
        ([(3, 3), (5, 2)], [Piece("abcdef", False)]),
    ],
)
def test_pieces_cut_the_text_at_its_marks(marks, expected):
    assert charts.pieces("abcdef", marks) == expected


def test_pieces_of_nothing_are_none():
    assert charts.pieces("", [(0, 3)]) == []


@pytest.mark.parametrize(
    ("value", "text"), [(0.04, "0.0 ms"), (3.26, "3.3 ms"), (412.7, "413 ms"), (999.7, "1.0 s"), (1290.4, "1.29 s")]
)
def test_milliseconds_have_a_fitting_unit(value, text):
    with translation.override("en"):
        assert words.milliseconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(1.0, ">99.9 %"), (0.9312, "93.1 %"), (0.001, "0.1 %"), (0.0, "<0.1 %"), (0.0009, "<0.1 %")]
)
def test_percent_does_not_round_to_certainty(value, text):
    assert words.percent(value) == text


@pytest.mark.parametrize(("value", "text"), [(0.9122, "0.912"), (0.03279, "0.0328"), (12.3456, "12.3"), (0, "0")])
def test_scores_show_enough_digits_to_differ(value, text):
    assert words.number(value) == text


@pytest.mark.parametrize(("text", "shown"), [(" two", "␣two"), ("\n", "↵"), ("", "◌"), ("二", "二")])
def test_white_space_and_incomplete_characters_are_visible(text, shown):
    assert visible(text) == shown


def test_timeline_rows_begin_with_the_queue():
    shape = TraceShape(
        steps=(StepShape("retrieve", 0.0, 50.0), StepShape("rerank_again", 50.0, 25.0)),
        queue_ms=25.0,
        total_ms=75.0,
        first_token_ms=None,
        prompt_tokens=0,
        cached_prompt_tokens=0,
        answer_tokens=0,
        candidate_count=0,
        source_count=0,
        content_bytes=0,
        sealed_bytes=0,
        times_opened=0,
    )
    rows = timeline_rows(shape)
    assert [(row.kind, row.bar) for row in rows] == [
        ("queue", Bar(0, 250)),
        ("step", Bar(250, 500)),
        ("step", Bar(750, 250)),
    ]
    assert rows[2].name == "rerank again"


def test_opened_report_lists_the_chosen_token_among_its_alternatives():
    report = opened_report(make_content(), finish_reason="stop")
    assert all(sum(other.is_chosen for other in token.alternatives) == 1 for token in report.tokens)
    assert "".join(token.text for token in report.tokens) == make_content().answer


def test_opened_report_keeps_the_other_languages_passages_apart():
    own = make_content().candidates
    foreign = make_candidate(9, language="zh", is_other_language=True)
    report = opened_report(make_content(candidates=(*own, foreign)), finish_reason="stop")
    assert [row.number for row in report.passages] == [1, 2, 3]
    assert [row.candidate for row in report.other_passages] == [foreign]


def test_the_report_has_a_column_for_each_score_that_occurs_and_the_fused_one_last():
    reranked = make_candidate(1, scores=make_scores(1) | {"reranked": ScoreRecord(-2.5, 1)})
    with translation.override("en"):
        report = opened_report(make_content(candidates=(reranked, make_candidate(2))), finish_reason="stop")
    assert report.searches == ["By meaning", "By words", "reranked", "Combined"]
    assert [[bool(cell.rank) for cell in row.scores] for row in report.passages] == [
        [True] * 4,
        [True, True, False, True],
    ]
    assert [cell.bar is None for cell in report.passages[0].scores] == [True, False, True, False]


def test_the_report_says_what_further_stages_found():
    content = make_content(stages=(StageRecord("prompt_guard", "let_pass", {"risk": 0.125}),))
    report = opened_report(content, finish_reason="stop")
    assert report.stage_facts == [("prompt guard", "let pass, risk 0.125")]


def test_a_refusal_shows_no_token_parts_and_says_what_was_not_measured():
    content = make_refusal()
    with translation.override("en"):
        names = [part.name for part in confidence_parts(content)]
        assert names == ["Best passage match", "Lead over the second best"]
        assert not_measured(content.confidence) == ["Token probability", "Groundedness", "Relevance", "Completeness"]
