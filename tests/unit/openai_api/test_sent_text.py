"""What was sent is only ever continued: through gaps, new attempts and a final text that says otherwise."""

from __future__ import annotations

import pytest

from openai_api.sent_text import SentText, Withdrawn


def add(sent: SentText, *deltas: tuple[int, int, str]) -> str:
    return "".join(sent.add(attempt=attempt, sequence=sequence, text=text) for attempt, sequence, text in deltas)


def test_white_space_around_an_answer_is_not_sent() -> None:
    sent = SentText()
    assert add(sent, (1, 1, " \n"), (1, 2, " One "), (1, 3, "\n")) == "One"
    assert add(sent, (1, 4, "two. ")) == " \ntwo."
    assert sent.finish("One \ntwo.") == ""


def test_an_answer_without_deltas_is_sent_at_the_end() -> None:
    assert SentText().finish("Not in the articles.") == "Not in the articles."


def test_a_repeated_or_missing_delta_leaves_the_rest_to_the_final_text() -> None:
    sent = SentText()
    assert add(sent, (1, 1, "One"), (1, 1, "One"), (1, 3, " three"), (1, 4, " four")) == "One"
    assert sent.finish("One two three four") == " two three four"


def test_a_new_attempt_that_says_the_same_is_continued_where_the_first_one_broke_off() -> None:
    sent = SentText()
    assert add(sent, (1, 1, "One two"), (2, 1, "One"), (2, 2, " two three"), (1, 2, " late")) == "One two three"
    assert sent.finish("One two three.") == "."


def test_a_new_attempt_that_says_something_else_withdraws_what_was_sent() -> None:
    sent = SentText()
    add(sent, (1, 1, "One two"))
    with pytest.raises(Withdrawn):
        add(sent, (2, 1, "Two"))


@pytest.mark.parametrize("answer", ["Something else.", "One"])
def test_a_final_text_that_does_not_continue_what_was_sent_withdraws_it(answer: str) -> None:
    sent = SentText()
    add(sent, (1, 1, "One two"))
    with pytest.raises(Withdrawn):
        sent.finish(answer)
