"""Words of the report for people: steps by name, what was cut, parts of cached answers."""

from __future__ import annotations

from dataclasses import replace

from django.utils import translation

from tests.unit.tracing.samples import make_content
from tracing import words
from tracing.content import Confidence, Dropped, Missing, RetrievalConfidence, TokenConfidence, TraceContent
from tracing.content.confidence import WeakestSpan
from tracing.parts import confidence_parts
from tracing.report import opened_report


def test_no_two_steps_of_a_timeline_have_the_same_name() -> None:
    names = ["queue", "cache", "embed", "cache_similar", "retrieve", "embed", "retrieve", "decode"]
    shown = words.step_words(names)
    assert len(set(shown)) == len(names)
    assert shown[1:4] == [
        "Looking for the same question",
        "Understanding the question",
        "Looking for a similar question",
    ]
    assert shown[6] == "Searching the articles, again"
    with translation.override("zh-hans"):
        assert words.step_words(names)[4:] == ["检索文章", "再次理解问题", "再次检索文章", "撰写"]


def test_what_was_cut_is_said_in_the_readers_language() -> None:
    content = make_content()
    chunk = content.candidates[0]
    cut = replace(
        content,
        dropped=(
            Dropped("history", "message 3", 12),
            Dropped("passage", chunk.chunk, 5),
            Dropped("passage", "gone", 5),
            Dropped("instructions", "instructions", 9),
            Dropped("question", "question", 9),
        ),
    )
    assert [each.name for each in opened_report(cut, finish_reason="stop").cuts] == [
        "Message 3 of the conversation",
        f"Passage from “{chunk.title}”",
        "Passage from “gone”",
        "Company instructions",
        "Middle of the question",
    ]
    with translation.override("zh-hans"):
        names = [each.name for each in opened_report(cut, finish_reason="stop").cuts]
    assert names[0] == "会话的第 3 条消息"
    assert [name for name in names if "message" in name or "question" in name] == []


def test_parts_of_a_cached_answer_are_judged_as_the_originals_were() -> None:
    confidence = Confidence(
        retrieval=RetrievalConfidence(score=0.98, threshold=0.5, margin=None, rank_agreement=None),
        token_probability=TokenConfidence(
            mean_logprob=-0.1, weakest_span=WeakestSpan(0, 2, -0.2), entropy_at_least=None
        ),
        groundedness=None,
        relevance=None,
        completeness=None,
        band="high",
    )
    again: TraceContent = replace(make_content(), selection=None, tokens=(), confidence=confidence)
    fit, _average, weakest = confidence_parts(again)
    assert fit.band == "high"
    assert weakest.explanation == "The stretch the model found least likely."


def test_what_a_question_names_in_vain_is_said_in_the_readers_language() -> None:
    content = replace(make_content(), missing=(Missing("XJ-300", "code", True), Missing("power", "kind")))
    (named,) = [part for part in confidence_parts(content) if part.name == "Things named in the question"]
    assert (named.value, named.band) == ("missing: “XJ-300”, a power", "low")
    with translation.override("zh-hans"):
        (named,) = [part for part in confidence_parts(content) if part.name == "问题中提到的事物"]
    assert named.value == "缺少：“XJ-300”，功率"


def test_a_fixed_text_is_said_to_be_one() -> None:
    assert "standard reply" in words.style_sentence("fixed")
    assert words.nothing_found("fixed") != words.nothing_found("quote")
