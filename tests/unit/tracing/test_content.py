"""The sealed content as JSON: everything comes back, nothing unknown gets in, errors never name values."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.unit.tracing.samples import SENTINEL, TOKENS, make_content, make_refusal
from tracing.content import Confidence, Missing, StepRecord, TokenRecord, TraceContent
from tracing.plain import Malformed
from tracing.sections import join, split


@pytest.mark.parametrize("content", [make_content(), make_refusal(), make_content(candidates=(), selection=None)])
def test_content_round_trips_through_json(content):
    assert TraceContent.from_json(content.to_json()) == content


def test_json_holds_its_format_and_characters_as_they_are():
    encoded = make_content(question="多久？").to_json()
    assert json.loads(encoded)["format"] == 1
    assert "多久？".encode() in encoded


def test_whole_numbers_come_back_as_floats_where_floats_belong():
    content = make_content(steps=(StepRecord("retrieve", 0, 12),))
    assert type(TraceContent.from_json(content.to_json()).steps[0].duration_ms) is float


def test_an_absent_optional_field_takes_its_default():
    plain = json.loads(make_content().to_json())
    del plain["dropped"]
    assert TraceContent.from_json(json.dumps(plain).encode()).dropped == ()


def test_scores_of_earlier_formats_are_read_by_their_names():
    content = make_content()
    plain = json.loads(content.to_json())
    for candidate in plain["candidates"]:
        scores = candidate.pop("scores")
        candidate |= {name: scores.get(name) for name in ("dense", "lexical", "fused")}
    assert TraceContent.from_json(json.dumps(plain).encode()) == content


def test_scores_in_the_sections_of_earlier_formats_are_read_by_their_names():
    content = make_content()
    sections = split(content)
    plain = json.loads(sections.answer)
    for candidate in plain["candidates"]:
        scores = candidate.pop("scores")
        candidate |= {name: scores.get(name) for name in ("dense", "lexical", "fused")}
    earlier = replace(sections, answer=json.dumps(plain | {"format": 3}).encode())
    assert join(earlier, kept={}).candidates == content.candidates


def test_half_a_surrogate_pair_does_not_keep_an_answer_from_being_recorded():
    assert TraceContent.from_json(make_content(question="a\ud83d").to_json()).question == "a?"


@pytest.mark.parametrize("number", [float("-inf"), float("nan")])
def test_numbers_that_json_lacks_are_refused(number):
    with pytest.raises(Malformed):
        make_content(tokens=(TokenRecord(1, "x", number, 1),)).to_json()


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"question": 7},
        {"question": None},
        {"tokens": "text"},
        {"tokens": [{"id": 1}]},
        {"candidates": [SENTINEL]},
        {"confidence": {"band": SENTINEL, "retrieval": None, "token_probability": None}},
        {"steps": [{"name": SENTINEL, "start_ms": 0.0, "duration_ms": 0.0}]},
    ],
)
def test_another_format_or_shape_is_refused_without_naming_the_value(change):
    plain = json.loads(make_content().to_json()) | change
    with pytest.raises(Malformed) as failure:
        TraceContent.from_json(json.dumps(plain).encode())
    assert SENTINEL not in str(failure.value)


@pytest.mark.parametrize("encoded", [b"", b"[]", b"null", b"{", b"\xff"])
def test_bytes_that_are_no_content_are_refused(encoded):
    with pytest.raises(Malformed):
        TraceContent.from_json(encoded)


@pytest.mark.parametrize("name", ["", "What the customer said", "Über", "x" * 41, "decode\n"])
def test_a_step_name_that_could_carry_content_is_refused(name):
    with pytest.raises(Malformed):
        StepRecord(name, 0.0, 1.0)


def test_an_unknown_band_is_refused():
    with pytest.raises(Malformed):
        Confidence(retrieval=None, token_probability=None, band="certain")


def test_tokens_keep_their_order_and_alternatives():
    assert TraceContent.from_json(make_content().to_json()).tokens == TOKENS


def test_what_the_question_names_is_kept_and_deleted_with_the_question() -> None:
    content = replace(make_content(), missing=(Missing("XJ-300", "code", True),))
    sections = split(content)
    assert "XJ-300" in (sections.prompt or b"").decode()
    assert "XJ-300" not in (sections.answer or b"").decode()
    assert join(sections, kept={}).missing == content.missing
    assert join(replace(sections, prompt=None), kept={}).missing == ()
