"""The invented help centres that the reranker learns from are sound, and so is what is drawn from them."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from evaluation.help_centre_files import BadHelpCentre, read_help_centre_file
from knowledge.text import detect_language
from tests.conftest import ROOT
from training.relevance.groups import NEGATIVES, draw_group, mined
from training.relevance.help_centre import HELD_BACK, help_centre_examples, training_files
from training.relevance.layout import laid_out

FOLDER = ROOT / "training" / "relevance" / "help_centres"
FILES = sorted(FOLDER.glob("*.json"))
_NO_LETTERS = re.compile(r"[\W_]+")


def squeezed(text: str) -> str:
    return _NO_LETTERS.sub("", text.casefold())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_help_centre_is_sound(path: Path) -> None:
    file = read_help_centre_file(path)
    asked = [squeezed(question.question) for question in file.questions]
    assert [text for text, count in Counter(asked).items() if count > 1] == []
    for article in file.articles:
        text = " ".join(sentence for section in article.sections for sentence in section.sentences)
        assert detect_language(text) == (article.language or file.language), article.slug
    assert all(question.near or question.partial for question in file.questions if question.open == "partial")
    text = path.read_text(encoding="utf-8")
    assert text == laid_out(json.loads(text))


def test_there_are_many_help_centres_of_both_languages_and_no_company_twice() -> None:
    files = [read_help_centre_file(path) for path in FILES]
    assert len({file.company for file in files}) == len(files) == 223
    assert min(Counter(file.language for file in files)[language] for language in ("en", "zh")) >= 80
    assert sum(len(file.questions) for file in files) > 35000


def test_addresses_and_brands_are_invented() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in FILES)
    hosts = re.findall(r"(?:[\w.+-]+@|https?://|www\.)([\w.-]*\w)", text)
    assert [host for host in hosts if not host.endswith(".example")] == []
    assert re.findall(r"(?i)paypal|\bvisa card|mastercard|apple pay|微信|支付宝|google|whatsapp", text) == []


def test_companies_held_back_exist_and_are_not_learned_from() -> None:
    assert {path.stem for path in FILES} - {path.stem for path in training_files(FOLDER)} == set(HELD_BACK)
    assert len(set(HELD_BACK)) == len(HELD_BACK) == 22


@pytest.mark.parametrize("company", ["auxholm", "qingmen-jiazheng", "kilnfold"])
def test_what_answers_is_never_drawn_as_what_does_not(company: str) -> None:
    examples, chance = help_centre_examples(FOLDER / f"{company}.json"), Random(1)
    usable = mined(examples, chance)
    assert len(usable) == len(examples)
    for each in usable * 2:
        group = draw_group(each, chance)
        right = set(each.example.answers)
        assert right.isdisjoint(group.others)
        assert (group.answer in right) if right else (group.answer is None)
        assert len(group.others) == NEGATIVES + (not right)
        assert each.example.partial or set(group.others) <= {*each.example.near, *each.example.same, *each.example.far}


def centre() -> dict[str, Any]:
    return {
        "company": "Mossbrook",
        "language": "en",
        "articles": [
            {
                "slug": "pumps",
                "title": "Pumps",
                "sections": [
                    {"heading": "Sizes", "sentences": ["The XJ-1 pump costs 9 euros.", "It weighs 2 kg."]},
                    {"sentences": ["Pumps are tested here."]},
                ],
            },
            {"slug": "post", "title": "Post", "sections": [{"sentences": ["Ｐarcels leave daily.", "It is free."]}]},
        ],
        "questions": [
            {"question": "how heavy is it", "answers": ["pumps/0/1"], "near": ["pumps/0/0"]},
            {"question": "weight and colour?", "open": "partial", "partial": ["pumps/0/1"]},
        ],
    }


def written(folder: Path, **changes: Any) -> Path:
    path = folder / "mossbrook.json"
    path.write_text(json.dumps(centre() | changes), encoding="utf-8")
    return path


def test_an_example_holds_its_sentences_as_the_reranker_reads_them(tmp_path: Path) -> None:
    answered, half = help_centre_examples(written(tmp_path))
    assert answered.answers == ("Pumps › Sizes: The XJ-1 pump costs 9 euros. It weighs 2 kg.",)
    assert answered.near == ("Pumps › Sizes: The XJ-1 pump costs 9 euros.",)
    assert answered.same == (*answered.near, "Pumps: Pumps are tested here.")
    assert answered.far == ("Post: Parcels leave daily.", "Post: Parcels leave daily. It is free.")
    assert (half.answers, half.partial) == ((), answered.answers)
    assert answered.answers[0] not in half.same


def test_a_sentence_told_twice_is_not_among_what_does_not_answer(tmp_path: Path) -> None:
    articles = centre()["articles"]
    articles[0]["sections"][1]["sentences"] *= 2
    path = written(
        tmp_path,
        articles=articles,
        questions=[{"question": "tested?", "answers": ["pumps/1/0"], "near": ["pumps/1/1"]}],
    )
    (example,) = help_centre_examples(path)
    assert set(example.answers).isdisjoint((*example.near, *example.same, *example.far))


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ({"question": "a", "answers": ["pumps/0/2"]}, "no sentence 'pumps/0/2'"),
        ({"question": "a", "answers": ["pumps/0/1"], "near": ["pumps/0/1"]}, "named twice"),
        ({"question": "a", "answers": ["pumps/0/1"], "open": "related"}, "not both"),
        ({"question": "a"}, "not neither"),
        ({"question": "a", "open": "mood"}, "'mood' is no reason"),
        ({"question": " ", "open": "related"}, "questions.0.question"),
    ],
)
def test_a_file_with_a_bad_question_is_refused(tmp_path: Path, question: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadHelpCentre, match=re.escape(sentence)):
        read_help_centre_file(written(tmp_path, questions=[question]))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"articles": centre()["articles"] * 2}, "two articles have the slug"),
        ({"articles": [{"slug": "a", "title": "A", "sections": []}], "questions": []}, "has no sentences"),
        ({"language": "mixed"}, "language"),
        ({"articles": [{"slug": "../a", "title": "A", "sections": []}]}, "slug"),
    ],
)
def test_a_file_with_bad_articles_is_refused(tmp_path: Path, changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadHelpCentre, match=re.escape(sentence)):
        read_help_centre_file(written(tmp_path, **changes))


@pytest.mark.parametrize("content", [None, b"", b"[]", b"\xff", b'{"company": 1}'])
def test_what_is_no_help_centre_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "other.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadHelpCentre, match=r"other\.json"):
        read_help_centre_file(path)
    with pytest.raises(BadHelpCentre, match="holds no help centres"):
        training_files(tmp_path / "nowhere")
