"""Whatever somebody saves is cut into passages: no text ends in an exception, none takes more than its length's time."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.chunking.chunks import MAX_TOKENS, split_article

PIECES = st.sampled_from(
    [
        *(
            "# ",
            "- ",
            "1. ",
            "> ",
            "    ",
            "\t",
            "\n",
            "\n\n",
            "```",
            "~~",
            "**",
            "*",
            "_",
            "`",
            "[",
            "](",
            ")",
            "![",
            "[^1]",
            "|",
            "-|-",
        ),
        *(
            "<table>",
            "<tr>",
            "<td colspan=9 rowspan=2>",
            "</table>",
            "<details><summary>",
            "</details>",
            "<!--",
            "-->",
            "<s>",
            "</s>",
        ),
        *(
            "<li>",
            "<ol>",
            "</ol>",
            "<pre>",
            "<Tab title='x'>",
            "</Tab>",
            "{{<",
            ">}}",
            "{%",
            "%}",
            "{#a}",
            ":::",
            ":::note x",
            "!!! a",
            "??? b",
        ),
        *(
            "Q: ",
            "A: ",
            "问：",
            "答：",
            "Step 1: ",
            "Why?",
            "为什么？",
            "No.",
            "Oct. 5",
            "a:",
            "：",
            "word ",
            "中文",
            "。",
            ";",
            "\u200b",
            "\x00",
            "…",
        ),
    ]
)


@settings(max_examples=300)
@given(st.lists(PIECES, max_size=60).map("".join))
def test_any_mixture_of_markup_is_cut_into_passages(body: str) -> None:
    for passage in split_article(body):
        assert 0 < passage.token_count <= MAX_TOKENS
        assert passage.sentences
        for sentence in passage.sentences:
            assert 0 <= sentence.quoted[0] <= sentence.start < sentence.end <= sentence.quoted[1] <= len(passage.text)


LENGTH = 20_000
REPEATED = [
    *(
        "AB-1;Sock;0.90\n",
        "a line of words\n",
        "word ",
        "a",
        "长",
        "吗？",
        "- item\n",
        "1. Do it.\n",
        ">",
        "> - ",
        "[",
        "[a](b",
        "![[",
        "*a **b ",
    ),
    *(
        "_a__",
        "`",
        " `` ``` ",
        "<",
        "<div>",
        "<!-- ",
        "<!--\n\n",
        "<a href='",
        ".",
        ". ",
        "!",
        "e.g. A ",
        "{{<",
        "{%",
        "{",
        "<Tab ",
        "<Tab a={{",
    ),
    *(
        "[^",
        "[[",
        "==",
        ":::\n",
        "# a\n",
        "Q: a?\n",
        "Why?\n\nYes.\n\n",
        "1. Why?\n\n   Yes.\n\n",
        "a:\n\n",
        "**a**\n\n",
        "[a]: b\n",
        "[a]: <",
    ),
    *(
        "&amp",
        "\\",
        "a  \n",
        "<table>",
        "<table><tr><td colspan=30 rowspan=99>x",
        "Step 1: do\n",
        "~~a~",
        "\0",
        "\t",
        "```\n",
        "a? ",
        "a\n=\n",
    ),
]


@pytest.mark.parametrize("piece", REPEATED)
def test_a_text_of_one_repeated_piece_is_cut_in_time(piece: str) -> None:
    """About a second of the processor each; one whose time grew with the square took minutes."""
    assert _seconds(piece * (2 * LENGTH // len(piece))) < 30


@pytest.mark.parametrize("depth", [50, 400])
def test_deep_nesting_is_cut_into_passages(depth: int) -> None:
    for body in (
        "\n".join("  " * level + "- Put one more inside." for level in range(depth)),
        "\n".join(">" * level + " One more." for level in range(depth)),
        "<div>" * depth + "One more." + "</div>" * depth,
        "<ul><li>One more." * depth,
        "\n".join("    " * level + "!!! note" for level in range(depth)) + "\n" + "    " * depth + "One more.",
        "*" * depth + "One more." + "*" * depth,
    ):
        assert split_article(body)


def test_a_paragraph_of_many_lines_becomes_passages() -> None:
    body = "A price list as pasted:\n" + "".join(f"Sock size {number} costs {number}.90\n" for number in range(1_101))
    text = "".join(passage.text for passage in split_article(body))
    assert "Sock size 1100 costs 1100.90" in text


def _seconds(body: str) -> float:
    started = time.process_time()
    split_article(body)
    return time.process_time() - started
