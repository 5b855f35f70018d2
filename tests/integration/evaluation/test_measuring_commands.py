"""The commands that measure in their own process: figures of small sets with hashed words for vectors, and nothing stays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.core.management import CommandError, call_command

from evaluation.help_centres import read_help_centre
from evaluation.looking import LocalDesk, load_models
from evaluation.measuring import import_centre, judged_questions, tenant_of
from helpdesk.tenants.models import Tenant
from knowledge.quoting.answerability import Model
from tests.integration.inference_worker.test_commands import squad
from tests.unit.evaluation.centres import centre, written

pytestmark = pytest.mark.django_db(transaction=True)

BEES = "Bees live in hives. A queen lays two thousand eggs. Workers gather nectar from flowers."
EGGS, NECTAR = "How many eggs lays a queen?", "What gather workers from flowers?"
PARALLEL = ("皇后产两千卵。工蜂采花蜜。", "皇后产多少卵", "两千卵")


@pytest.fixture(autouse=True)
def gate() -> Iterator[None]:
    """Only the share of the question's words in the sentence counts: a quarter of them is enough."""
    by_words = Model(-1.5, 0.0, 0.0, 6.0, 0.0, 0.0)
    with patch.dict("knowledge.quoting.answerability.MODELS", {"words": by_words}):
        yield


def run(command: str, *arguments: object) -> str:
    out = StringIO()
    call_command(command, *map(str, arguments), stdout=out, stderr=StringIO())
    return out.getvalue()


def report(command: str, *arguments: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(command, *arguments, "--json"))
    assert Tenant.objects.count() == 0
    return found


def test_a_help_centre_is_measured_by_language_and_by_kind_of_question(tmp_path: Path) -> None:
    found = report("evaluate_help_centre", written(tmp_path, centre()), "--details", tmp_path / "details")
    languages = found["centres"]["Brightkettle"]
    english, chinese = languages["en"], languages["zh"]
    assert (english["answerable"], english["across"], chinese["answerable"], english["open"]) == (2, 1, 1, 2)
    assert (english["first"], english["sentence_quoted"], english["declined"]) == (1.0, 1.0, 0.0)
    assert chinese["first"] == 1.0
    assert english["open_declined_by_kind"]["out_of_scope"] == [1, 1]
    assert english["attacks_declined"] == 1.0
    assert "partial" in languages["all"]["open_declined_by_kind"]
    assert set(found["milliseconds"]) >= {"embed", "retrieve", "select"}
    details = [json.loads(line) for line in (tmp_path / "details").read_text(encoding="utf-8").splitlines()]
    assert [each["question"] for each in details] == [each["question"] for each in centre()["questions"]]
    assert details[0]["right"] is True
    off_topic = details[3]
    assert (off_topic["open"], off_topic["answered"], off_topic["right"]) == ("out_of_scope", False, False)
    assert off_topic["band"] == "low"


def test_people_read_a_table(tmp_path: Path) -> None:
    text = run("evaluate_help_centre", written(tmp_path, centre()), "--limit", "3")
    assert "right article first" in text
    assert "Brightkettle" in text
    assert "without" not in text


def test_without_the_gate_what_nobody_asked_for_is_quoted(tmp_path: Path) -> None:
    path = written(tmp_path, centre())
    with_gate = report("evaluate_help_centre", path)["all"]["all"]
    without = report("evaluate_help_centre", path, "--without", "gate")
    assert without["without"] == ["gate"]
    assert without["all"]["all"]["open_declined"] < with_gate["open_declined"]


def test_the_reranker_is_one_of_the_stages_and_can_be_left_out(tmp_path: Path) -> None:
    path = written(tmp_path, centre())
    assert "rerank" in report("evaluate_help_centre", path)["milliseconds"]
    assert "rerank" not in report("evaluate_help_centre", path, "--without", "rerank")["milliseconds"]


def test_without_names_an_unknown_country_declines_nothing(tmp_path: Path) -> None:
    content = centre()
    content["questions"] = [
        {"question": "Standard delivery takes how many working days to Norway?", "open": "other_thing"}
    ]
    path = written(tmp_path, content)
    assert report("evaluate_help_centre", path)["all"]["all"]["open_declined"] == 1.0
    assert report("evaluate_help_centre", path, "--without", "names")["all"]["all"]["open_declined"] == 0.0


def test_without_the_other_language_nothing_of_it_is_found(tmp_path: Path) -> None:
    found = read_help_centre(written(tmp_path, centre()))
    models = load_models()
    with tenant_of(found) as tenant:
        dict(import_centre(tenant, found, models.embedder))
        for without, has_chinese in (((), True), (("other_language",), False)):
            look = LocalDesk(tenant, models, without=without).look(found.questions[0].text)
            assert look.found is not None
            assert any(each.language == "zh" for each in look.found.result.candidates) is has_chinese


def test_small_talk_is_neither_an_answer_nor_found(tmp_path: Path) -> None:
    content = centre()
    content["questions"][0]["question"] = "Hello"
    found = read_help_centre(written(tmp_path, content))
    models = load_models()
    with tenant_of(found) as tenant:
        articles = dict(import_centre(tenant, found, models.embedder))
        judged = next(judged_questions(tenant, found, articles, models))
    assert (judged.is_answered, judged.article_rank, judged.score) == (False, None, 0.0)


def test_another_companys_articles_are_never_found(tmp_path: Path) -> None:
    found = read_help_centre(written(tmp_path, centre()))
    other = read_help_centre(written(tmp_path, centre() | {"company": "Other"}, "other.json"))
    models = load_models()
    with tenant_of(found) as tenant, tenant_of(other) as second:
        dict(import_centre(tenant, found, models.embedder))
        look = LocalDesk(second, models).look(found.questions[0].text)
        assert look.found is not None
        assert look.found.result.candidates == ()


def test_a_broken_help_centre_is_a_clear_error_and_leaves_nothing(tmp_path: Path) -> None:
    content = centre()
    content["articles"][0]["sections"] = [{"heading": "", "sentences": ["Is this a question?"]}]
    content["questions"] = [{"question": "Is it?", "open": "nonsense"}]
    for path in (written(tmp_path, content), tmp_path / "missing.json"):
        with pytest.raises(CommandError, match=r"cannot be (imported|read)"):
            run("evaluate_help_centre", path)
    assert Tenant.objects.count() == 0


def test_the_gate_is_measured_on_texts_with_and_without_their_answers(tmp_path: Path) -> None:
    path = written(
        tmp_path, squad(("Bees", BEES, EGGS, "two thousand"), ("Moss", "Moss is green.", "Is moss green?", "green"))
    )
    found = report("evaluate_gate", "--squad", path, "--language", "en")
    assert (found["answerable"], found["not_answered_by_article"]) == (2, 2)
    assert found["answerable_declined"] == 0.0
    assert found["quotes_contain_answer"] == 1.0
    # Nothing is left of the second article without its answer.
    assert found["open_declined"] == found["best_balanced_accuracy"] == found["balanced_accuracy"] == 1.0


def test_a_paragraph_is_put_back_before_the_next_question_loses_its_own_answer(tmp_path: Path) -> None:
    content = squad(("Bees", BEES, EGGS, "two thousand"))
    content["data"][0]["paragraphs"][0]["qas"].append({"id": "2", "question": NECTAR, "answers": [{"text": "nectar"}]})
    found = report("evaluate_gate", "--squad", written(tmp_path, content), "--language", "en")
    assert (found["answerable"], found["open_declined"]) == (2, 1.0)


def test_questions_without_an_answer_are_asked_of_the_article_as_it_is(tmp_path: Path) -> None:
    content = squad(("Bees", BEES, EGGS, "two thousand"))
    content["data"][0]["paragraphs"][0]["qas"].append({"id": "2", "question": "Who paints bees?", "answers": []})
    found = report("evaluate_gate", "--squad", written(tmp_path, content), "--language", "en", "--articles", ":1")
    assert (found["answerable"], found["not_answered_by_article"]) == (1, 2)


def test_the_other_languages_paragraph_is_ranked_without_its_twin(tmp_path: Path) -> None:
    english = written(tmp_path, squad(("Bees", BEES, EGGS, "two thousand")), "en.json")
    chinese = written(tmp_path, squad(("蜂", *PARALLEL)), "zh.json")
    found = report("evaluate_retrieval", "--squad", english, "--language", "en", "--mixed", chinese)
    assert (found["questions"], found["paragraphs"]) == (2, 2)
    assert found["en_recall_at_1"] == found["zh_recall_at_1"] == found["recall_at_5"] == 1.0


def test_two_files_that_are_not_parallel_are_a_clear_error(tmp_path: Path) -> None:
    english = written(tmp_path, squad(("Bees", BEES, EGGS, "two"), ("Moss", "Moss.", "Moss?", "Moss")), "en.json")
    chinese = written(tmp_path, squad(("蜂", *PARALLEL)), "zh.json")
    with pytest.raises(CommandError, match="do not have the same paragraphs"):
        run("evaluate_retrieval", "--squad", english, "--language", "en", "--mixed", chinese)


def test_a_confidence_needs_labels_and_is_fitted_from_right_and_wrong_answers(tmp_path: Path) -> None:
    path = written(tmp_path, centre())
    with pytest.raises(CommandError, match="calibration needs at least"):
        run("fit_confidence", path)
    content = centre()
    content["questions"] = [
        {"question": f"How many working days does standard delivery take? {number}", "answers": ["delivery/0/0"]}
        for number in range(140)
    ]
    content["questions"] += [
        {"question": f"Standard delivery takes how many hours? {number}", "open": "other_value"} for number in range(40)
    ]
    found = report(
        "fit_confidence", written(tmp_path, content), "--labels", tmp_path / "labels", "--without", "gate", "names"
    )
    assert found["calibration"]["answers"] == len((tmp_path / "labels").read_text(encoding="utf-8").splitlines())
    assert found["calibration"]["right"] == 140
    assert found["bands"][0]["headroom"] == 0.5
