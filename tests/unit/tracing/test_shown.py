"""Tokens and the answer's characters, brought together across sentences that were cut."""

from __future__ import annotations

import pytest

from tests.unit.tracing.samples import make_content
from tracing.content import Checking, SentenceCheck, TokenRecord, TraceContent
from tracing.plain import Malformed
from tracing.report import opened_report
from tracing.sections import Sections, join, split
from tracing.shown import shown_places, shown_tokens, written_part

WRITTEN = " One is so. Two is not.\nThree is."


def content_of(tokens: list[str], answer: str, *cut: str, **changes: object) -> TraceContent:
    """A content whose sentences are WRITTEN's, those named being cut."""
    sentences, start = [], 0
    for text in ("One is so.", "Two is not.", "Three is."):
        start = WRITTEN.index(text, start)
        reason = "unsupported" if text in cut else ""
        sentences.append(SentenceCheck(start=start, end=start + len(text), reason=reason, support=0.5))
    records = tuple(TokenRecord(number, text, -1.0, 1) for number, text in enumerate(tokens))
    checking = Checking(text=WRITTEN, sentences=tuple(sentences))
    return make_content(answer=answer, tokens=records, checking=checking, style="generate", **changes)


TOKENS = [" One", " is so.", " Two", " is not", ".\n", "Three", " is.", "<eos>"]


def test_without_a_cut_every_token_is_the_answer_s() -> None:
    content = content_of(TOKENS, WRITTEN.strip())
    assert shown_places(content) == [-1, 3, 10, 14, 21, 23, 28, 32]
    assert "".join(token.text for token in shown_tokens(content)).strip() == content.answer


@pytest.mark.parametrize(
    ("cut", "answer", "places"),
    [
        (["Two is not."], "One is so.\nThree is.", [0, 3, None, None, None, 11, 16, None]),
        (["One is so."], "Two is not.\nThree is.", [None, None, 0, 3, 10, 12, 17, None]),
        (["Three is."], "One is so. Two is not.", [0, 3, 10, 14, 21, None, None, None]),
    ],
)
def test_tokens_of_what_was_cut_are_none_of_the_answer_s(cut: list[str], answer: str, places: list[int | None]) -> None:
    content = content_of(TOKENS, answer, *cut)
    assert shown_places(content) == places
    assert "".join(token.text for token in shown_tokens(content)).strip() == answer


def test_a_token_across_the_border_is_shown_in_part() -> None:
    content = content_of([" One is so. Two is", " not.\nThr", "ee is."], "One is so.\nThree is.", "Two is not.")
    assert [token.text for token in shown_tokens(content)] == ["One is so.", "\nThr", "ee is."]
    assert shown_places(content) == [0, 11, 14]


def test_an_answer_that_a_later_stage_changed_is_taken_as_it_is() -> None:
    content = content_of(TOKENS, "Please ask a person.", "Two is not.")
    assert None not in shown_places(content)


def test_words_of_the_desk_behind_the_text_have_no_tokens() -> None:
    content = content_of(TOKENS, "One is so.\nThree is.\nNothing about Mars.", "Two is not.")
    assert written_part(content) == "One is so.\nThree is."
    assert "".join(token.text for token in shown_tokens(content)).strip() == written_part(content)
    assert written_part(content_of(TOKENS[:-1], f"{WRITTEN.strip()}\nNothing about Mars.")) == WRITTEN.strip()


def test_a_replaced_text_has_no_part_in_the_answer_and_keeps_its_own_tokens() -> None:
    base = make_content()
    checking = Checking(
        text="Wrong.",
        sentences=(SentenceCheck(start=0, end=6, reason="number"),),
        is_replaced=True,
        tokens=(TokenRecord(1, "Wrong.", -1.0, 1),),
    )
    content = make_content(checking=checking)
    assert shown_places(content) == shown_places(base)
    report = opened_report(content, finish_reason="stop")
    assert report.checks is not None
    assert [(row.text, row.reason) for row in report.checks.rows] == [("Wrong.", "a number not in any passage")]
    assert not any(token.is_cut for token in report.tokens)


def test_groundedness_is_the_mean_of_what_was_shown() -> None:
    sentences = (
        SentenceCheck(start=0, end=1, support=1.0),
        SentenceCheck(start=1, end=2, support=0.1, reason="unsupported"),
        SentenceCheck(start=2, end=3, support=0.7),
        SentenceCheck(start=3, end=4),
    )
    assert Checking(text="abcd", sentences=sentences).groundedness == pytest.approx(0.85)
    assert Checking(text="a", sentences=sentences[1:2]).groundedness is None


def test_the_record_survives_sealing_and_goes_with_the_answer() -> None:
    content = content_of(TOKENS, "One is so.\nThree is.", "Two is not.")
    sections = split(content)
    assert join(sections, kept={}) == content
    assert "Two is not." not in (sections.prompt or b"").decode()
    kept = {"style": "generate", "language": "en", "answer": "", "steps": [],
            "confidence": {"band": "low", "retrieval": None, "token_probability": None}}  # fmt: skip
    assert join(Sections(sections.prompt, None), kept=kept).checking is None


def test_a_reason_is_a_word_of_ours_and_never_content() -> None:
    with pytest.raises(Malformed):
        SentenceCheck(start=0, end=1, reason="because the customer said so")
