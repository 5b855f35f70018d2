"""Passages: bounded, complete, and every offset points at what it says."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from knowledge.chunking.chunks import (
    MAX_TOKENS,
    Sentence,
    compared_text,
    read_sentence,
    searched_text,
    sentence_in_context,
    split_article,
)
from knowledge.text import estimate_tokens

BLOCKS = st.sampled_from(
    [
        "## Heading",
        "### Deeper",
        "A sentence. Another one, with 3.90 in it! And a third?",
        "中文句子。还有一句！真的吗？",
        "- item one\n- item two. With more.",
        "1. Open it.\n2. Close it.",
        "1. Open it and wait for the light.\n" * 40,
        "Is it loud?\n\nNo, never.",
        "We need:",
        "<details><summary>Why?</summary>Because.</details>",
        "| a | b |\n| - | - |\n| x | y |",
        "```\ncode here\n```",
        "word " * 700,
        "长" * 900,
    ]
)


@given(st.lists(BLOCKS, max_size=8).map("\n\n".join), st.integers(min_value=20, max_value=MAX_TOKENS))
def test_passages_are_bounded_and_their_sentences_complete(body: str, limit: int) -> None:
    passages = split_article(body, max_tokens=limit)
    for number, passage in enumerate(passages):
        assert passage.position == number
        assert 0 < passage.token_count == estimate_tokens(passage.text) <= limit
        assert 0 <= passage.start < len(body)
        assert passage.sentences
        ends = [0, *(sentence.end for sentence in passage.sentences)]
        for before, sentence in zip(ends, passage.sentences, strict=False):
            assert before <= sentence.start < sentence.end <= len(passage.text)
            assert passage.text[sentence.start : sentence.end].strip()
            assert 0 <= sentence.quoted[0] <= sentence.start < sentence.end <= sentence.quoted[1] <= len(passage.text)
            assert passage.text[slice(*sentence.quoted)].strip()
    shown = "".join("".join(passage.text.split()) for passage in passages)
    for word in ("Another", "code"):
        assert (word in shown) == (word in body)


def test_passages_follow_headings() -> None:
    passages = split_article("Intro.\n\n## Costs\n\nFree.\n\n### Abroad\n\nTen euros.\n")
    assert [(passage.heading, passage.text) for passage in passages] == [
        ("", "Intro."),
        ("Costs", "Free."),
        ("Costs › Abroad", "Ten euros."),
    ]


def test_a_long_section_is_cut_between_sentences_with_overlap() -> None:
    sentences = [f"Sentence number {number} says something of its own." for number in range(60)]
    passages = split_article(" ".join(sentences), max_tokens=100)
    held = [[passage.text[slice(*sentence.quoted)] for sentence in passage.sentences] for passage in passages]
    assert sorted({sentence for passage in held for sentence in passage}) == sorted(sentences)
    assert all(second[0] in first for first, second in itertools.pairwise(held))


def test_the_start_is_the_offset_in_the_source() -> None:
    body = "## A\n\n**Bold** start. Second sentence here.\n\n## B\n\nLast.\n"
    assert [body[passage.start :][:6] for passage in split_article(body)] == ["**Bold", "Last.\n"]


def test_an_own_count_function_decides() -> None:
    passages = split_article("One two three. Four five six.", count_tokens=lambda text: len(text.split()), max_tokens=3)
    assert [passage.text for passage in passages] == ["One two three.", "Four five six."]


def test_what_is_searched_carries_title_and_headings() -> None:
    assert searched_text(title="T", heading="", text="x") == "T\nx"
    assert sentence_in_context(title="T", heading="H", sentence="x") == "T › H: x"


def test_what_is_quoted_whole_stays_in_one_passage() -> None:
    steps = "\n".join(f"{number}. Turn the screw a little more to the left." for number in range(1, 12))
    body = "Filler says nothing of use here. " * 40 + f"\n\nTo open it:\n\n{steps}\n\nDone and dusted."
    quoted = {passage.text[slice(*each.quoted)] for passage in split_article(body) for each in passage.sentences}
    assert f"To open it:\n{steps}" in quoted


def test_a_sentence_is_kept_and_read_with_its_context() -> None:
    sentence = Sentence(5, 9, (5, 12), "Why?")
    assert read_sentence(sentence.as_row) == sentence
    assert compared_text("Why? Yes. No.", sentence) == "Why? Yes."


def test_sentences_of_the_first_version_are_quoted_alone() -> None:
    assert read_sentence([3, 9]) == Sentence(3, 9, (3, 9))
