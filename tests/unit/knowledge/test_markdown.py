"""Markdown comes out as text that can be quoted to a customer."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from knowledge.markdown import escape_markdown, plain_lines


def texts(source: str) -> list[str]:
    return [line.text for line in plain_lines(source)]


def test_inline_markup_leaves_no_trace() -> None:
    source = "A **bold** and *soft* `code_name` with a [link](https://example.org) ~~old~~ ![alt](x.png)<br>"
    assert texts(source) == ["A bold and soft code_name with a link old alt"]


def test_soft_breaks_join_english_with_and_chinese_without_a_blank() -> None:
    assert texts("one\ntwo\n\n中文\n继续") == ["one two", "中文继续"]


def test_table_rows_become_readable_sentences() -> None:
    source = "| Plan | Price | Members |\n| --- | --- | --- |\n| **Seed** | Free | 1 |\n| Solo | €12 | |\n"
    assert texts(source) == ["Seed — Price: Free; Members: 1", "Solo — Price: €12"]
    assert texts("| 套餐 | 月费 |\n| - | - |\n| 种子版 | 免费 |\n") == ["种子版——月费：免费"]


def test_short_list_items_complete_their_lead_in() -> None:
    assert texts("We deliver to:\n\n- Austria\n- Spain\n") == ["We deliver to: Austria; Spain"]
    assert texts("送达国家：\n\n- 法国\n- 德国\n") == ["送达国家：法国；德国"]


def test_list_items_that_are_sentences_stand_alone_with_their_numbers() -> None:
    lines = plain_lines("Do this:\n\n1. Open the page.\n2. Press save.\n")
    assert [(line.marker, line.text) for line in lines] == [
        ("", "Do this:"),
        ("1. ", "Open the page."),
        ("2. ", "Press save."),
    ]


def test_code_keeps_its_lines_and_hidden_html_disappears() -> None:
    source = "```sh\ncurl **x** | jq\n```\n\n<!-- note --><p>Shown &amp; read</p><script>alert(1)</script>\n"
    assert texts(source) == ["curl **x** | jq", "Shown & read"]


def test_headings_form_a_path_and_lines_know_their_offset() -> None:
    source = "Intro.\n\n## A\n\nFirst.\n\n### B\n\nSecond.\n\n## C\n\nThird.\n"
    lines = plain_lines(source)
    assert [line.heading for line in lines] == [(), ("A",), ("A", "B"), ("C",)]
    assert [source[line.start :].startswith(line.text) for line in lines] == [True] * 4


@given(st.text(alphabet="ab*_`#|[]()<>&!-+1.\\~:\n中 ", max_size=120))
def test_escaped_plain_text_reads_as_it_was(text: str) -> None:
    shown = "".join("".join(texts(escape_markdown(text))).split())
    assert shown == "".join(text.split())
