"""The prompt's budget: every section stays in its share, and what was left out is named."""

from __future__ import annotations

from typing import Any

import pytest

from inference_worker.answering.prompt import INSTRUCTIONS, BuiltPrompt, PassageToFit, build_prompt
from inference_worker.engine.contract import ChatTurn
from knowledge.sentences import split_sentences

WORDS_OF_A_PASSAGE = 8


def count(text: str) -> int:
    """A token is a word."""
    return len(text.split())


def passage(number: int, sentences: int = 10, focus: int | None = None) -> PassageToFit:
    text = " ".join(f"P{number} sentence {index} has exactly eight words." for index in range(sentences))
    spans = tuple(split_sentences(text))
    return PassageToFit(f"p{number}", "Title", text, spans, (spans[focus],) if focus is not None else ())


def build(**changes: Any) -> BuiltPrompt:
    given: dict[str, Any] = {
        "company": "Mossgate",
        "language": "en",
        "extra_instructions": "",
        "passages": [passage(1)],
        "history": [],
        "question": "How long?",
        "budget": 1000,
        "count_tokens": count,
    }
    return build_prompt(**(given | changes))


def cuts(built: BuiltPrompt) -> list[tuple[str, str]]:
    return [(cut.kind, cut.reference) for cut in built.cuts]


def total(built: BuiltPrompt) -> int:
    return sum(count(turn.content) for turn in built.turns)


def test_everything_is_there_when_there_is_room() -> None:
    built = build(extra_instructions="Be kind.", history=[ChatTurn("user", "Hi"), ChatTurn("assistant", "Hello!")])
    assert (built.cuts, [turn.role for turn in built.turns]) == ((), ["system", "user", "assistant", "user"])
    assert built.turns[0].content.endswith("\nBe kind.")
    assert built.turns[-1].content.endswith("Question: How long?")
    assert built.passages == (passage(1).text,)


def test_what_all_prompts_share_comes_first() -> None:
    one, other = build(), build(question="Something else?", passages=[passage(2)], history=[ChatTurn("user", "Hi")])
    assert one.turns[0] == other.turns[0]


def test_each_section_says_its_tokens_and_stays_in_its_share() -> None:
    built = build(
        budget=300,
        extra_instructions="Always be kind. " * 40,
        history=[ChatTurn("user", f"Old message number {i} with some words.") for i in range(4)],
        passages=[passage(number, 20) for number in (1, 2, 3)],
        question="Please tell me this. " * 60,
    )
    assert [section.name for section in built.sections] == ["system", "history", "knowledge", "question"]
    assert all(section.tokens <= section.budget for section in built.sections)
    assert {kind for kind, _ in cuts(built)} == {"instructions", "history", "passage", "question"}
    assert total(built) <= 300 + 10  # the labels


def test_the_oldest_history_goes_first() -> None:
    history = [ChatTurn("user", f"m{i} " + "word " * 19) for i in range(1, 5)]
    built = build(budget=count(INSTRUCTIONS["en"]) + 200, history=history)
    assert [turn.content.split()[0] for turn in built.turns[1:-1]] == ["m3", "m4"]
    assert cuts(built)[:2] == [("history", "message 2"), ("history", "message 1")]


def test_a_passage_is_cut_at_sentence_ends_around_its_focus() -> None:
    built = build(budget=count(INSTRUCTIONS["en"]) + 40, passages=[passage(1, 20, focus=10)])
    sentences = [built.passages[0][start:end] for start, end in split_sentences(built.passages[0])]
    assert "P1 sentence 10 has exactly eight words." in sentences
    assert 1 < len(sentences) < 20
    assert all(sentence in passage(1, 20).text for sentence in sentences)


def test_the_focus_stays_however_little_room_there_is() -> None:
    built = build(budget=10, passages=[passage(1, 20, focus=7)])
    assert built.passages == ("P1 sentence 7 has exactly eight words.",)


def test_a_question_that_is_over_the_budget_alone_keeps_its_beginning_and_its_end() -> None:
    question = " ".join(f"Sentence {index} of a long story." for index in range(200)) + " So what does it cost?"
    built = build(question=question, budget=300)
    asked = built.turns[-1].content.split("Question: ")[1]
    assert asked.startswith("Sentence 0 of a long story.")
    assert asked.endswith("So what does it cost?")
    assert " … " in asked
    assert total(built) <= 300 + 10
    assert ("question", "question") in cuts(built)
    assert "exactly eight words" in built.passages[0]


@pytest.mark.parametrize("question", ["字" * 4000, "x" * 4000, "😀" * 2000])
def test_a_question_without_a_sentence_end_is_cut_by_characters(question: str) -> None:
    built = build(question=question, budget=400, count_tokens=len, passages=[])
    (section,) = [each for each in built.sections if each.name == "question"]
    assert section.tokens <= section.budget
    assert built.turns[-1].content.count("…") == 1


def test_the_companys_instructions_are_cut_behind_a_whole_sentence() -> None:
    own = count(INSTRUCTIONS["en"])
    built = build(
        extra_instructions="One two three. Four five six. " + "Seven eight nine. " * 50, budget=(own + 7) * 5 // 2
    )
    assert built.turns[0].content.endswith("\nOne two three. Four five six.")
    assert cuts(built) == [("instructions", "instructions")]


@pytest.mark.parametrize("budget", [-100, 0, 1])
def test_no_room_at_all_still_makes_a_prompt(budget: int) -> None:
    built = build(budget=budget, history=[ChatTurn("user", "Hi")], extra_instructions="Be kind.")
    assert built.turns[0].content == INSTRUCTIONS["en"].format(company="Mossgate")
    assert len(built.turns) == 2
