"""What goes out while a text is written, whatever its pieces: checked sentences only, and nothing that is taken back."""

from __future__ import annotations

import random

import pytest

from inference_worker.answering.checking.gate import AnswerGate
from inference_worker.answering.checking.units import LONGEST, UnitReader
from inference_worker.engine.scripted import pieces
from tests.unit.inference_worker.checking.test_sentences import judge

STANDARD = "Standard delivery takes three to five working days [1]."
EXPRESS = "Express delivery takes one working day. [1]"
POTS = "Customers may return unused pots within thirty days [2]."
WRONG = "Customers may return unused pots within ninety days [2]."
INVENTED = "Our gardeners water every plant by hand."


def passed(text: str, *, cut_into: str = "words") -> tuple[str, AnswerGate]:
    """What the gate gave, and itself; pieces are words as the engine writes them, or characters."""
    gate, shown = AnswerGate(judge()), ""
    for piece in pieces(text) if cut_into == "words" else text:
        before = shown
        shown += gate.add(piece)
        assert shown.startswith(before)
    shown += gate.finish()
    return shown, gate


def reasons(gate: AnswerGate) -> list[str]:
    return [sentence.reason for sentence in gate.checking().sentences]


def units(text: str) -> list[str]:
    reader = UnitReader()
    return [unit.text for piece in text for unit in reader.add(piece)] + [unit.text for unit in reader.finish()]


@pytest.mark.parametrize("cut_into", ["words", "characters"])
@pytest.mark.parametrize(
    ("text", "shown", "why"),
    [
        (f"{STANDARD} {EXPRESS}", f"{STANDARD} {EXPRESS}", ["", ""]),
        (f"Hello! {STANDARD} I hope this helps!", f"Hello! {STANDARD} I hope this helps!", ["", "", ""]),
        (f"{STANDARD} {WRONG} {EXPRESS}", f"{STANDARD} {EXPRESS}", ["", "number", ""]),
        (f"{INVENTED} {STANDARD}", STANDARD, ["unsupported", ""]),
        (f"{STANDARD} {INVENTED}", STANDARD, ["", "unsupported"]),
        (
            f"You can choose:\n- {STANDARD}\n- {WRONG}\n- {EXPRESS}",
            f"You can choose:\n- {STANDARD}\n- {EXPRESS}",
            ["", "", "number", ""],
        ),
        # The line break stays where the line's first sentence goes.
        (f"{STANDARD}\n\n{WRONG} {EXPRESS}", f"{STANDARD}\n\n{EXPRESS}", ["", "number", ""]),
        # A lead-in whose items are all gone leads nowhere.
        (
            f"{STANDARD}\n\nReturns:\n- {WRONG}\n\n{EXPRESS}",
            f"{STANDARD}\n\n{EXPRESS}",
            ["", "alone", "number", ""],
        ),
        (
            "您好！未使用的花盆可以在30天内退货[3]。已拆封的土壤可以退货。",
            "您好！未使用的花盆可以在30天内退货[3]。",
            ["", "", "negation"],
        ),
    ],
)
def test_what_passes_is_shown_in_its_order_and_the_rest_is_cut(
    text: str, shown: str, why: list[str], cut_into: str
) -> None:
    given, gate = passed(text, cut_into=cut_into)
    assert given.strip() == shown
    assert reasons(gate) == why
    assert (gate.is_closed, gate.is_rejected) == (False, False)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"{WRONG} {INVENTED} {STANDARD}", ["number", "unsupported", "closed"]),
        (f"Hello! {WRONG}", ["alone", "number"]),
        ("Hello! I hope this helps!", ["alone", "alone"]),
        ("I could not find that in the passages.", ["alone"]),
        ("", []),
        (f"Hello! {WRONG} {INVENTED} {STANDARD}", ["closed", "number", "unsupported", "closed"]),
    ],
)
def test_what_can_be_no_answer_shows_nothing_and_is_rejected(text: str, why: list[str]) -> None:
    gate = AnswerGate(judge())
    assert gate.add(text) + gate.finish() == ""
    assert (reasons(gate), gate.is_rejected) == (why, True)
    assert gate.checking().is_replaced
    assert gate.checking().shown == []


def test_two_failures_at_first_end_the_writing_at_once() -> None:
    gate = AnswerGate(judge())
    for piece in pieces(f"{WRONG} {INVENTED} {STANDARD}"):
        gate.add(piece)
        if gate.is_closed:
            break
    assert gate.is_closed
    assert STANDARD not in gate.checking().text


def test_more_failures_than_not_end_the_writing_and_what_was_shown_stays() -> None:
    given, gate = passed(f"{STANDARD} {WRONG} {INVENTED} {EXPRESS}")
    assert (given, gate.is_closed, gate.is_rejected) == (STANDARD, True, False)
    assert reasons(gate)[:3] == ["", "number", "unsupported"]


def test_a_stop_keeps_what_was_shown_and_discards_the_rest() -> None:
    gate, shown = AnswerGate(judge()), ""
    for piece in pieces(f"{STANDARD} Hello! {EXPRESS} Customers may ret"):
        shown += gate.add(piece)
    gate.stop()
    assert shown == f"{STANDARD} Hello! {EXPRESS}"
    assert reasons(gate) == ["", "", "", "stopped"]
    assert gate.checking().places_of(shown) == list(range(len(shown)))


@pytest.mark.parametrize("seed", range(20))
def test_what_was_shown_is_found_again_in_the_record(seed: int) -> None:
    """Whatever was cut, the kept sentences of the record are the text that went out, character by character."""
    source = random.Random(seed)
    parts = [STANDARD, EXPRESS, POTS, WRONG, "Hello!", "Returns:", f"- {POTS}", "```", "您好！"]
    text = "".join(source.choice(parts) + source.choice([" ", "\n", "\n\n", "  "]) for _ in range(12))
    given, gate = passed(text)
    record = gate.checking()
    if gate.is_rejected:
        assert given == ""
        return
    places = record.places_of(given.strip())
    assert places is not None
    assert "".join(record.text[place] for place in places) == given.strip()
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It weighs 3.5 kg. See No. 5 below.", ["It weighs 3.5 kg.", "See No. 5 below."]),
        ("Ask Dr. Moss. He knows.", ["Ask Dr. Moss.", "He knows."]),
        ("One. [1] Two [2]. Three.[3][4] Four", ["One. [1]", "Two [2].", "Three.[3][4]", "Four"]),
        ("一句。[1]两句！三句？[2] 四", ["一句。[1]", "两句！", "三句？[2]", "四"]),
        ("1. Open it. Wait.\n2. Close it.", ["1. Open it. Wait.", "2. Close it."]),
        ("| a | b. C |\n| 1 | 2 |", ["| a | b. C |", "| 1 | 2 |"]),
        ("```\nx = 1. Y\n```\nDone. Really", ["```", "x = 1. Y", "```", "Done.", "Really"]),
        ("Really?! Yes... maybe. “So.” He said", ["Really?!", "Yes... maybe.", "“So.”", "He said"]),
    ],
)
def test_units_end_where_sentences_items_and_lines_do(text: str, expected: list[str]) -> None:
    assert units(text) == expected


def test_a_sentence_without_an_end_is_cut_whole_and_read_only_once() -> None:
    given, gate = passed(f"{STANDARD} And{' and pots' * LONGEST}. {EXPRESS}")
    assert given == f"{STANDARD} {EXPRESS}"
    assert reasons(gate) == ["", "endless", ""]
