"""Help centres in files: what is read, what their articles become, and what a broken file is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evaluation.help_centre_files import UNSPECIFIED
from evaluation.help_centres import read_help_centre, read_help_centres
from evaluation.question_sets import BadQuestionSet
from knowledge.chunking.chunks import split_article
from knowledge.sources.article_files import read_article
from tests.unit.evaluation.centres import centre, written

DEMO = Path(__file__).parents[3] / "helpdesk" / "demo" / "content"


def test_questions_know_the_sentences_that_answer_them(tmp_path: Path) -> None:
    found = read_help_centre(written(tmp_path, centre()))
    first, chinese, across, off_topic, attack, half = found.questions
    assert found.company == "Brightkettle"
    assert (first.language, first.open, first.is_across_languages) == ("en", "", False)
    assert [(told.article, told.text) for told in first.answers] == [
        ("en/delivery", "Standard delivery takes three to five working days.")
    ]
    assert (chinese.language, chinese.answers[0].article, chinese.is_across_languages) == ("zh", "zh/tuihuo", False)
    assert [told.text for told in chinese.near] == ["退款在五个工作日内到账。"]
    assert (across.language, across.is_across_languages) == ("en", True)
    assert [each.open for each in (off_topic, attack, half)] == ["out_of_scope", "safety", "partial"]


def test_an_article_is_imported_with_title_headings_and_sentences_as_they_are_written(tmp_path: Path) -> None:
    found = read_help_centre(written(tmp_path, centre()))
    assert sorted(found.articles) == ["en/delivery.md", "zh/tuihuo.md"]
    place = tmp_path / "delivery.md"
    place.write_text(found.articles["en/delivery.md"], encoding="utf-8")
    article = read_article(place, "en/delivery.md")
    assert (article.title, article.language) == ('Delivery: "fast" & cheap', "en")
    passages = split_article(article.body)
    assert passages[0].heading == "Standard delivery"
    quoted = [passage.text[slice(*each.quoted)] for passage in passages for each in passage.sentences]
    assert quoted == [sentence for section in centre()["articles"][0]["sections"] for sentence in section["sentences"]]


def test_markup_in_a_sentence_stays_its_words(tmp_path: Path) -> None:
    content = centre()
    hostile = "# Not a heading, [no link](javascript:alert(1)) and <b>no tag</b> cost 5 * 3 EUR."
    content["articles"][0]["sections"][0]["sentences"][0] = hostile
    content["articles"][0]["title"] = "---\ntitle: other"
    found = read_help_centre(written(tmp_path, content))
    place = tmp_path / "delivery.md"
    place.write_text(found.articles["en/delivery.md"], encoding="utf-8")
    article = read_article(place, "en/delivery.md")
    assert article.title == "--- title: other"
    assert hostile in "\n".join(passage.text for passage in split_article(article.body))


def _reference(content: dict[str, Any], reference: str) -> None:
    content["questions"][0]["answers"] = [reference]


BROKEN: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a sentence that is not there": (lambda c: _reference(c, "delivery/0/9"), "there is no sentence 'delivery/0/9'"),
    "no reference at all": (lambda c: _reference(c, "delivery"), "Write <slug>/<section>/<sentence>"),
    "a negative place": (lambda c: _reference(c, "delivery/0/-1"), "counted from 0"),
    "neither answered nor open": (lambda c: c["questions"][0].pop("answers"), "give it `answers`, or `open`"),
    "both": (lambda c: c["questions"][0].update(open="related"), "not both"),
    "an unknown reason": (lambda c: c["questions"][3].update(open="dunno"), "`open` is one of: related"),
    "a path as a slug": (lambda c: c["articles"][0].update(slug="../../etc/passwd"), r"articles\.0\.slug"),
    "another language": (lambda c: c.update(language="de"), "language"),
    "one slug twice": (lambda c: c["articles"][1].update(slug="delivery"), "two articles have the slug 'delivery'"),
    "no sentences": (lambda c: c["articles"][1].update(sections=[]), "'tuihuo' has no sentences"),
    "no questions": (lambda c: c.update(questions=[]), "has no questions"),
    "a blank question": (lambda c: c["questions"][0].update(question="  "), r"questions\.0\.question"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_says_where_and_what_to_do(case: str, tmp_path: Path) -> None:
    break_it, words = BROKEN[case]
    content = centre()
    break_it(content)
    with pytest.raises(BadQuestionSet, match=words):
        read_help_centre(written(tmp_path, content))


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff\xfe", b'{"company": 1}', b'"' * 5000])
def test_what_is_no_help_centre_is_told_so(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    with pytest.raises(BadQuestionSet, match=r"bad\.json"):
        read_help_centre(path)


@pytest.mark.parametrize("company", ["mossgate", "ledgerleaf"])
def test_the_demo_companies_are_help_centres(company: str) -> None:
    found = read_help_centre(DEMO / company)
    names = json.loads((DEMO / company / "shop.json").read_text(encoding="utf-8"))["name"]
    assert (found.company, found.company_zh) == (names["en"], names["zh"])
    assert len(found.articles) == 50
    assert sum(bool(question.answers) for question in found.questions) == 100
    assert {question.open for question in found.questions} == {"", UNSPECIFIED}
    assert any(question.is_across_languages for question in found.questions)


def demo_folder(folder: Path, **answer: str) -> Path:
    """A demo company of one article and one question."""
    (folder / "en").mkdir()
    (folder / "en" / "returns.md").write_text("# Returns\nSend it back within **30 days**.", encoding="utf-8")
    given = {"language": "en", "question": "How long?", "article": "en/returns", "answer": "within 30 days"} | answer
    written(folder, {"answerable": [given], "unanswerable": []}, "questions.json")
    return folder


def test_a_demo_answer_may_be_marked_up_in_its_article(tmp_path: Path) -> None:
    assert read_help_centre(demo_folder(tmp_path)).questions[0].answers[0].text == "within 30 days"


@pytest.mark.parametrize(
    ("answer", "words"),
    [({"article": "en/other"}, "there is no article 'en/other'"), ({"answer": "40 days"}, "does not stand in")],
)
def test_a_demo_answer_must_stand_in_its_article(tmp_path: Path, answer: dict[str, str], words: str) -> None:
    with pytest.raises(BadQuestionSet, match=words):
        read_help_centre(demo_folder(tmp_path, **answer))


def test_a_folder_of_files_is_many_help_centres_each_with_so_many_questions(tmp_path: Path) -> None:
    written(tmp_path, centre(), "a.json")
    written(tmp_path, centre() | {"company": "Other"}, "b.json")
    found = read_help_centres([tmp_path], limit=2)
    assert [(each.company, len(each.questions)) for each in found] == [("Brightkettle", 2), ("Other", 2)]
    assert [question.text for question in found[0].questions] == [
        centre()["questions"][place]["question"] for place in (0, 3)
    ]


def test_an_empty_folder_is_no_help_centre(tmp_path: Path) -> None:
    with pytest.raises(BadQuestionSet, match="Name a help centre's file or folder"):
        read_help_centres([tmp_path])
