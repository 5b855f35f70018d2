"""Where passages start, and what they repeat."""

from __future__ import annotations

import pytest

from knowledge.chunking.chunks import split_article
from knowledge.passage_preview import shown_passages

SENTENCES = " ".join(f"Sentence number {number} tells a little more about watering plants." for number in range(90))
BODY = f"Welcome to the guide.\n\n## Water\n\n{SENTENCES}\n\n## Light\n\nEast is best."


@pytest.fixture
def shown() -> list[tuple[int, str, int]]:
    return [(each.number, each.heading, each.line) for each in shown_passages(BODY)]


def test_each_passage_has_its_heading_and_the_line_it_starts_in(shown: list[tuple[int, str, int]]) -> None:
    assert [number for number, _heading, _line in shown] == list(range(1, len(shown) + 1))
    assert shown[0] == (1, "", 1)
    assert {(heading, line) for _number, heading, line in shown[1:-1]} == {("Water", 5)}
    assert shown[-1] == (len(shown), "Light", 9)


def test_what_is_repeated_is_the_end_of_the_one_before() -> None:
    passages, found = split_article(BODY), shown_passages(BODY)
    assert [each.repeated + each.text for each in found] == [each.text for each in passages]
    inner = [each for each in found if each.heading == "Water"]
    assert inner[0].repeated == "" and all(each.repeated for each in inner[1:])
    assert passages[1].text.endswith(found[2].repeated)


def test_a_text_of_nothing_to_quote_has_no_passages() -> None:
    assert shown_passages("# Only a heading") == []
