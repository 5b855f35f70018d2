"""Effects of removed passages, on a scorer whose causes are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from inference_worker.answering.analysis.attribution import NotAttributable, attribute, sentence_tokens
from inference_worker.engine.contract import ChatTurn, Prompt
from tests.unit.tracing.samples import make_content
from tracing.content import (
    Checking,
    EngineRecord,
    PromptPassage,
    PromptRecord,
    PromptTurn,
    SentenceCheck,
    TokenRecord,
    TraceContent,
)

ENGINE = EngineRecord(
    model="m", revision="r", quantization="int4", engine="e", engine_version="1", device="cpu", max_model_len=2048
)


def render(turns: Sequence[ChatTurn]) -> Prompt:
    text = "|".join(turn.content for turn in turns)
    return Prompt(text, tuple(range(len(text))))


def content_with(passages: int, answer: str = "Alpha is one. Beta is two.") -> TraceContent:
    lines = [f"[{n + 1}] text {n}\n" for n in range(passages)]
    user, spans = "Passages:\n", []
    for n, line in enumerate(lines):
        spans.append(PromptPassage(f"chunk-{n}", len(user), len(user) + len(line)))
        user += line
    user += "\nQuestion: q"
    words = [piece + " " for piece in answer.split(" ")]
    words[-1] = words[-1].rstrip()
    return replace(
        make_content(),
        answer=answer,
        prompt=PromptRecord(user, tuple(range(len(user))), "t", (PromptTurn("user", user),), tuple(spans)),
        tokens=tuple(TokenRecord(i, word, -1.0, 1) for i, word in enumerate(words)),
    )


class Causes:
    """Each of the first three tokens is likelier by `first` nats with passage 0, the others by 2 with passage 1."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, prompt: Prompt, ids: Sequence[int]) -> list[float]:
        self.calls += 1
        zero, one = "text 0" in prompt.text, "text 1" in prompt.text
        return [
            -1.0 - (3.0 if i < 3 and not zero else 0.0) - (2.0 if i >= 3 and not one else 0.0) for i in range(len(ids))
        ]


def test_leaving_a_passage_out_shows_which_sentence_it_caused() -> None:
    score = Causes()

    found = attribute(content_with(3), render=render, score=score, engine=ENGINE)

    assert found.method == "leave_one_out"
    assert [sentence.effects for sentence in found.sentences] == [(9.0, 0.0, 0.0), (0.0, 6.0, 0.0)]
    assert [sentence.strongest for sentence in found.sentences] == [0, 1]
    assert found.groundedness == 1.0
    assert found.passages == ("chunk-0", "chunk-1", "chunk-2")
    assert (found.passes, score.calls) == (4, 4)
    assert found.drift == 0.0


def test_sentence_that_no_passage_caused_is_not_grounded() -> None:
    found = attribute(content_with(1), render=render, score=Causes(), engine=ENGINE)

    assert [sentence.is_grounded for sentence in found.sentences] == [True, False]
    assert found.groundedness == 0.5


def test_many_passages_are_sampled_and_the_causes_still_come_first() -> None:
    found = attribute(content_with(8), render=render, score=Causes(), engine=ENGINE)

    assert found.method == "sampled_subsets"
    assert [sentence.strongest for sentence in found.sentences] == [0, 1]
    assert found.sentences[0].effects[0] == pytest.approx(9.0, abs=0.6)
    assert max(abs(effect) for effect in found.sentences[0].effects[2:]) < 0.6


def test_answer_without_generation_or_passages_is_refused_with_a_reason() -> None:
    with pytest.raises(NotAttributable, match="Nothing was generated"):
        attribute(replace(content_with(1), tokens=()), render=render, score=Causes(), engine=ENGINE)
    with pytest.raises(NotAttributable, match="No passage"):
        attribute(content_with(0), render=render, score=Causes(), engine=ENGINE)


def test_every_token_belongs_to_one_sentence() -> None:
    tokens = tuple(TokenRecord(i, text, -1.0, 1) for i, text in enumerate([" ", "退", "", "货", "。", "可以", "。"]))

    spans = sentence_tokens(make_content(answer="退货。可以。", tokens=tokens))

    assert [span.tokens for span in spans] == [(0, 1, 2, 3, 4), (5, 6)]


def test_what_was_cut_on_its_way_caused_nothing_and_moves_no_sentence() -> None:
    answer, written = "Alpha is one. Beta is two.", "Alpha is one. Gamma is six. Beta is two."
    whole = content_with(3, written)
    cut = (SentenceCheck(start=0, end=13), SentenceCheck(start=14, end=27, reason="unsupported"))
    checking = Checking(text=written, sentences=(*cut, SentenceCheck(start=28, end=40)))

    found = attribute(replace(whole, answer=answer, checking=checking), render=render, score=Causes(), engine=ENGINE)

    assert [answer[each.start : each.end] for each in found.sentences] == ["Alpha is one.", "Beta is two."]
    # Of the written tokens 0 to 2 and 6 to 8 were shown; 3 to 5 were scored, for the others stand behind them.
    assert [each.tokens for each in found.sentences] == [3, 3]
    assert [each.effects for each in found.sentences] == [(9.0, 0.0, 0.0), (0.0, 6.0, 0.0)]


def test_what_stands_behind_the_written_text_has_no_tokens() -> None:
    tokens = tuple(TokenRecord(i, text, -1.0, 1) for i, text in enumerate(["Yes", ".", " It", " is", ".", ""]))
    answer = "Yes. It is.\nI found nothing in our articles about: “Mars”."

    spans = sentence_tokens(make_content(answer=answer, tokens=tokens))

    assert [(span.start, span.end, span.tokens) for span in spans] == [(0, 4, (0, 1)), (5, 11, (2, 3, 4, 5))]
