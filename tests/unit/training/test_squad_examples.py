"""Examples from public question sets in SQuAD layout."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from training.relevance.corpus import (
    DRCD,
    HELP_CENTRES,
    XQUAD_ACROSS,
    XQUAD_CHINESE,
    XQUAD_ENGLISH,
    Places,
    read_sources,
)
from training.relevance.groups import NEGATIVES, draw_group, mined
from training.relevance.squad import BadQuestionSet, across, squad_examples

ENGLISH = [
    "Steam drove the mill. It burned coal from the north. Coal came by ship in spring.",
    "The mill stood by the river. Nobody lived there. The roof was made of slate.",
]
CHINESE = [
    "蒸汽带动磨坊。它烧来自北方的煤。煤在春天用船运来。",
    "磨坊在河边。那里没有人住。屋顶是石板的。",
]


def asked(context: str, question: str, answer: str) -> dict[str, Any]:
    return {"question": question, "answers": [{"text": answer, "answer_start": context.index(answer)}]}


def question_set(path: Path, contexts: list[str], asked_for: list[str], title: str = "Steam_engine") -> Path:
    paragraphs = [
        {"context": context, "qas": [asked(context, f"{answer}?", answer)]}
        for context, answer in zip(contexts, asked_for, strict=True)
    ]
    paragraphs[0]["qas"].append({"question": "who?", "answers": [], "is_impossible": True})
    others = {"title": "Oxygen", "paragraphs": paragraphs}
    path.write_text(json.dumps({"data": [{"title": title, "paragraphs": paragraphs}, others]}), encoding="utf-8")
    return path


@pytest.fixture
def english(tmp_path: Path) -> Path:
    return question_set(tmp_path / "en.json", ENGLISH, ["from the north", "slate"])


def test_the_sentence_of_the_answer_answers_and_others_with_its_words_are_left_out(tmp_path: Path) -> None:
    path = question_set(tmp_path / "en.json", ENGLISH, ["coal", "slate"])
    example = squad_examples(path)[0].example
    assert example.answers == ("Steam engine: Steam drove the mill. It burned coal from the north.",)
    assert example.near == ("Steam engine: Steam drove the mill.",)
    assert len(example.far) == 3


def test_an_impossible_question_is_open(english: Path) -> None:
    example = squad_examples(english)[1].example
    assert (example.answers, len(example.near)) == ((), 3)


def test_only_the_named_articles_are_learned_from(english: Path, tmp_path: Path) -> None:
    assert {each.article for each in squad_examples(english)} == {0}
    assert {each.article for each in squad_examples(english, learned_only=False)} == {0, 1}
    with pytest.raises(BadQuestionSet, match="no questions to learn from"):
        squad_examples(question_set(tmp_path / "other.json", ENGLISH, ["coal", "slate"], title="Amazon_rainforest"))


def test_questions_of_one_language_meet_sentences_of_the_other(english: Path, tmp_path: Path) -> None:
    chinese = question_set(tmp_path / "zh.json", CHINESE, ["北方", "石板"], title="蒸汽机")
    ones, others = squad_examples(english), squad_examples(chinese, titles_of=english)
    crossed = across(ones, others)
    assert len(crossed) == 2 * len(ones)
    assert (crossed[0].question, crossed[0].answers) == ("from the north?", ("蒸汽带动磨坊。 它烧来自北方的煤。",))
    assert crossed[1].question == "北方?"


def test_negatives_of_public_sets_are_never_the_answer(english: Path) -> None:
    chance = Random(0)
    usable = mined([each.example for each in squad_examples(english)], chance)
    assert len(usable) == 3
    for each in usable * 20:
        group = draw_group(each, chance)
        assert set(each.example.answers).isdisjoint(group.others)
        assert len(group.others) == NEGATIVES + (not each.example.answers)


def test_the_sources_have_their_names(english: Path, tmp_path: Path) -> None:
    chinese = question_set(tmp_path / "zh.json", CHINESE, ["北方", "石板"], title="蒸汽机")
    folder = tmp_path / "centres"
    folder.mkdir()
    article = {"slug": "a", "title": "A", "sections": [{"sentences": ["One.", "Two."]}]}
    told = {
        "company": "A",
        "language": "en",
        "articles": [article],
        "questions": [{"question": "one", "answers": ["a/0/0"]}],
    }
    for name in ("learned", "owlcrest"):
        (folder / f"{name}.json").write_text(json.dumps(told), encoding="utf-8")
    sources = read_sources(Places(folder, drcd=[chinese], xquad_english=english, xquad_chinese=chinese))
    counts = {name: len(examples) for name, examples in sources.items()}
    assert counts == {HELP_CENTRES: 1, DRCD: 6, XQUAD_ENGLISH: 3, XQUAD_CHINESE: 3, XQUAD_ACROSS: 6}
    with pytest.raises(BadQuestionSet, match="English one"):
        read_sources(Places(folder, xquad_chinese=chinese))


@pytest.mark.parametrize("content", [None, "", "[]", '{"data": [{"title": "Warsaw"}]}'])
def test_what_is_no_question_set_is_refused(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "bad.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(BadQuestionSet, match=r"bad\.json"):
        squad_examples(path)
