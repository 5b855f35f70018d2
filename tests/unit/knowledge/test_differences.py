"""What a version changed: lines, words within them, and what is left out."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.differences import Line, LineKind, Piece, difference

TEXTS = st.lists(
    st.sampled_from(["", "one", "two three", "满 40 欧元免运费。", "满 50 欧元免运费。"]), max_size=30
).map("\n".join)


def side(old: str, new: str, without: LineKind) -> list[str]:
    return [
        "".join(piece.text for piece in line.pieces)
        for line in difference(old, new).lines
        if line.kind not in (without, LineKind.SKIPPED)
    ]


def test_a_changed_line_shows_the_words_that_changed() -> None:
    found = difference("Free over 40 €.", "Free over 50 €.")
    assert found.lines == (
        Line(LineKind.GONE, (Piece("Free over "), Piece("40", True), Piece(" €."))),
        Line(LineKind.NEW, (Piece("Free over "), Piece("50", True), Piece(" €."))),
    )
    assert (found.added, found.removed, found.is_empty) == (1, 1, False)


def test_chinese_is_compared_by_characters() -> None:
    [gone, new] = difference("满四十欧元免运费。", "满五十欧元免运费。").lines
    assert [piece.text for piece in gone.pieces if piece.is_changed] == ["四"]
    assert [piece.text for piece in new.pieces if piece.is_changed] == ["五"]


def test_another_sentence_is_no_changed_one() -> None:
    [gone, new] = difference("Orders leave on Monday.", "完全不同的一句话").lines
    assert (gone.pieces, new.pieces) == ((Piece("Orders leave on Monday."),), (Piece("完全不同的一句话"),))


def test_what_is_far_from_a_change_is_counted() -> None:
    old = [f"line {number}" for number in range(20)]
    new = [*old[:10], "inserted", *old[10:]]
    lines = difference("\n".join(old), "\n".join(new)).lines
    assert [(line.kind, line.count) for line in lines if line.kind != LineKind.SAME] == [
        (LineKind.SKIPPED, 7), (LineKind.NEW, 1), (LineKind.SKIPPED, 7),
    ]  # fmt: skip
    assert sum(line.kind == LineKind.SAME for line in lines) == 6


def test_lines_that_are_there_thousands_of_times_do_not_stop_the_comparison() -> None:
    many = ["-"] * 20_000
    found = difference("\n".join(["first", *many, "last"]), "\n".join(["First", *many, "new", *many, "Last"]))
    assert (found.added - found.removed, found.is_empty) == (20_001, False)
    lines = difference("\n".join(many), "\n".join([*many, "new"])).lines
    assert [(line.kind, line.count) for line in lines if line.kind != LineKind.SAME] == [
        (LineKind.SKIPPED, 20_000), (LineKind.NEW, 1),
    ]  # fmt: skip


def test_a_change_among_many_empty_lines_is_the_only_one() -> None:
    old = [text for number in range(100) for text in (f"line {number}", "")]
    found = difference("\n".join(old), "\n".join([*old[:50], "Line 25", *old[51:150], "Line 75", *old[151:]]))
    assert (found.added, found.removed) == (2, 2)


def test_long_lines_behind_much_work_are_compared_as_wholes() -> None:
    line = " ".join(map(str, range(500)))
    lines = difference("\n".join([f"{line}a"] * 50), "\n".join([f"{line}b"] * 50)).lines
    assert [len(line.pieces) for line in lines if line.kind == LineKind.GONE] == [2] * 2 + [1] * 48


def test_the_same_text_has_no_difference() -> None:
    assert difference("a\nb", "a\nb").is_empty
    assert difference("", "").lines == ()


@settings(max_examples=60, deadline=None)
@given(TEXTS, TEXTS)
def test_each_side_is_whole_but_for_what_is_skipped(old: str, new: str) -> None:
    skipped = sum(line.count for line in difference(old, new).lines if line.kind == LineKind.SKIPPED)
    assert len(side(old, new, LineKind.NEW)) + skipped == len(old.splitlines())
    assert len(side(old, new, LineKind.GONE)) + skipped == len(new.splitlines())
