"""What may follow in a quoted answer, and what becomes of the engine's outputs."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

from inference_worker.engine.contract import Alternative, EngineError
from inference_worker.engine.vllm.answer_reader import AnswerReader, SpelledChoice

END = 0
YES = SpelledChoice((1,), ("Yes",))
YES_SOON = SpelledChoice((1, 2, 3, 4), ("Yes", ", within", " 7", " days"))
YES_LATER = SpelledChoice((1, 2, 5, 4), ("Yes", ", within", " 9", " days"))


class Numbers:
    """Stands for the text of tokens: their numbers."""

    def stream(self, prompt: list[int]) -> Numbers:
        return self

    def step(self, token: int) -> str:
        return f"<{token}>"

    show = step


def reader(*choices: SpelledChoice) -> AnswerReader:
    return AnswerReader(Numbers(), prompt=[], choices=choices, top_logprobs=1, end=END)  # type: ignore[arg-type]


def row(token: int, logprob: float = -1.0) -> dict[int, Any]:
    """A token that the model ranked second behind token 9."""
    return {token: SimpleNamespace(logprob=logprob, rank=2), 9: SimpleNamespace(logprob=-0.5, rank=1)}


def output(*tokens: int, read: tuple[int, ...] = (), reason: str | None = "length") -> Any:
    """One output of the engine: `read` ends its prompt, `tokens` were written."""
    completion = SimpleNamespace(
        token_ids=tokens,
        logprobs=[row(token) for token in tokens],
        text="",
        finish_reason=reason,
        stop_reason=END if reason == "stop" else None,
    )
    return SimpleNamespace(outputs=[completion], prompt_logprobs=[None, {}, *(row(token, -2.0) for token in read)])


def test_what_all_permitted_answers_go_on_with_is_forced() -> None:
    assert reader(YES_SOON).forced(10) == (1, 2, 3, 4)
    assert reader(YES_SOON).forced(3) == (1, 2, 3)
    assert reader(YES_SOON, YES_LATER).forced(10) == (1, 2)
    assert reader(YES, YES_SOON).forced(10) == (1,)
    assert reader(YES_SOON, SpelledChoice((7,), ("No",))).forced(10) == ()


def test_what_is_permitted_ends_with_the_end_of_the_turn() -> None:
    assert reader(YES, YES_SOON).permitted(skip=1) == [[END], [2, 3, 4, END]]


def test_tokens_that_were_read_come_before_those_that_were_written() -> None:
    answer = reader(YES_SOON, YES_LATER)
    first = answer.read(output(1))
    assert (first.text, first.finish_reason, answer.forced(10)) == ("Yes", None, (2,))
    second = answer.read(output(5, read=(2,)), forced=(2,))
    assert (second.text, [token.logprob for token in second.tokens]) == (", within 9", [-2.0, -1.0])
    assert answer.forced(10) == (4,)
    last = answer.read(output(END, read=(4,), reason="stop"), forced=(4,))
    assert (last.text, last.finish_reason, answer.permitted()) == (" days", "stop", [[END]])


def test_a_token_has_its_rank_and_the_models_favourites() -> None:
    [token] = reader(YES).read(output(1)).tokens
    assert (token.rank, token.alternatives) == (2, (Alternative(9, "<9>", -0.5),))
    assert math.isclose(token.logprob, -1.0)


def test_an_engine_that_leaves_the_permitted_answers_is_not_believed() -> None:
    with pytest.raises(EngineError, match="left the permitted answers"):
        reader(YES).read(output(8))


def test_an_engine_that_gave_up_has_no_answer() -> None:
    with pytest.raises(EngineError, match="gave up"):
        reader(YES).read(output(1, reason="error"))
