"""The measuring commands against the running worker: what they print, and that nothing of them stays."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.core.management import CommandError, call_command

from conversations.models import Assistant
from helpdesk.streams.writer import client
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from inference_worker.engine.scripted import ScriptedEngine
from inference_worker.runtime import Runtime
from knowledge.state import current_state
from tests.factories import make_tenant
from tests.integration.inference_worker.conftest import publish

DELIVERY = "Express delivery takes one working day and costs nine euros. Parcels leave on weekdays."
RETURNS = "Customers may return unused pots within thirty days. The shop refunds the purchase price."
DELIVERY_QUESTION = "How many working days does express delivery take?"
RETURNS_QUESTION = "Within how many days may customers return unused pots?"


def squad(*articles: tuple[str, str, str, str]) -> dict[str, Any]:
    """A set in SQuAD layout of (title, paragraph, question, answer)."""
    return {
        "data": [
            {
                "title": title,
                "paragraphs": [
                    {"context": context, "qas": [{"id": title, "question": question, "answers": [{"text": answer}]}]}
                ],
            }
            for title, context, question, answer in articles
        ]
    }


@pytest.fixture
def question_file(tmp_path: Path) -> Path:
    path = tmp_path / "questions.json"
    content = squad(
        ("Delivery", DELIVERY, DELIVERY_QUESTION, "One working day!"),
        ("Returns", RETURNS, RETURNS_QUESTION, "thirty days"),
    )
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def run(command: str, *arguments: str) -> str:
    out = StringIO()
    call_command(command, *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def evaluate(path: Path, *arguments: str) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(
        run("evaluate_answers", "--squad", str(path), "--language", "en", "--json", *arguments)
    )
    return report


def test_answers_are_judged_and_the_tenant_is_removed(worker: Runtime, question_file: Path) -> None:
    report = evaluate(question_file)
    assert report.pop("seconds_p50") > 0
    assert report == {
        "questions": 2, "answered": 2, "refused": 0, "failed": 0, "contains_gold": 1.0, "refused_share": 0.0,
    }  # fmt: skip
    assert Tenant.objects.count() == 0


def test_a_limit_asks_fewer_questions(worker: Runtime, question_file: Path) -> None:
    assert evaluate(question_file, "--limit", "1")["questions"] == 1


def test_unanswerable_questions_meet_the_other_half_of_the_articles(worker: Runtime, question_file: Path) -> None:
    report = evaluate(question_file, "--unanswerable")
    assert (report["questions"], report["answered"], report["refused"]) == (2, 0, 2)
    assert report["contains_gold"] is None
    assert Tenant.objects.count() == 0


def test_a_failed_reply_is_counted_as_failed(worker: Runtime, question_file: Path) -> None:
    with patch("inference_worker.answering.storing.record_trace", side_effect=_no_seal):
        report = evaluate(question_file)
    assert (report["failed"], report["answered"], report["seconds_p50"]) == (2, 0, None)
    assert Tenant.objects.count() == 0


def _no_seal(*args: object) -> None:
    from helpdesk.crypto import SealError

    raise SealError("the key is gone")


def test_stopping_in_mid_answer_removes_the_tenant(
    worker: Runtime, engine: ScriptedEngine, question_file: Path
) -> None:
    engine.delay = 0.1

    def press_ctrl_c(*args: object) -> None:
        raise KeyboardInterrupt

    with (
        patch("evaluation.asking._ended", side_effect=press_ctrl_c),
        pytest.raises(CommandError, match="Stopped; the throwaway tenant is removed"),
    ):
        evaluate(question_file)
    assert Tenant.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_without_a_warm_worker_the_command_says_so(question_file: Path) -> None:
    client().flushdb()
    with pytest.raises(CommandError, match="No inference worker is warm"):
        evaluate(question_file)
    assert Tenant.objects.count() == 0


@pytest.mark.django_db
@pytest.mark.parametrize("content", ["", "[]", '{"data": []}', '{"data": [{"paragraphs": [{"context": 1}]}]}'])
def test_a_file_in_another_layout_is_a_clear_error(tmp_path: Path, content: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(content, encoding="utf-8")
    for command in ("evaluate_answers", "evaluate_retrieval"):
        with pytest.raises(CommandError, match=r"bad\.json"):
            run(command, "--squad", str(path), "--language", "en")


@pytest.mark.django_db(transaction=True)
def test_retrieval_is_measured_and_the_tenant_removed(question_file: Path) -> None:
    report = json.loads(run("evaluate_retrieval", "--squad", str(question_file), "--language", "en", "--json"))
    assert report.pop("seconds") > 0
    assert report == {
        "recall_at_1": 1.0, "recall_at_5": 1.0, "mrr_at_10": 1.0,
        "used_recall_at_1": 1.0, "used_recall_at_5": 1.0, "used_mrr_at_10": 1.0,
        "paragraphs": 2, "questions": 2,
    }  # fmt: skip
    assert Tenant.objects.count() == 0


def calibration_file(folder: Path) -> Path:
    path = folder / "own.json"
    answerable = [{"question": f"{DELIVERY_QUESTION} ({number})", "language": "en"} for number in range(10)]
    unanswerable = [{"question": f"Who won the cup in {1980 + number}?", "language": "en"} for number in range(10)]
    path.write_text(json.dumps({"answerable": answerable, "unanswerable": unanswerable}), encoding="utf-8")
    return path


def stored_gate(tenant: Tenant) -> dict[str, Any]:
    with tenant_atomic(tenant.id):
        gate: dict[str, Any] = Assistant.objects.get().refusal_gate
    return gate


@pytest.fixture
def calibrate(worker: Runtime, tmp_path: Path) -> tuple[Tenant, Callable[..., str]]:
    tenant = make_tenant()
    publish(tenant, "Delivery", DELIVERY)
    path = calibration_file(tmp_path)
    return tenant, lambda *arguments: run("calibrate_refusal", tenant.slug, "--questions", str(path), *arguments)


def test_calibration_stores_a_threshold_beside_the_others(calibrate: tuple[Tenant, Callable[..., str]]) -> None:
    tenant, run_calibration = calibrate
    with tenant_atomic(tenant.id):
        Assistant.objects.update(refusal_gate={"threshold": {"zh": 0.4}})
    output = run_calibration()
    assert "10 answerable and 10 unanswerable" in output
    thresholds = stored_gate(tenant)["threshold"]
    assert set(thresholds) == {"zh", "words-reranked"}
    assert 0.0 < thresholds["words-reranked"] < 1.0


def test_calibration_without_a_reranker_is_of_what_vectors_and_words_say(
    calibrate: tuple[Tenant, Callable[..., str]], settings: Any
) -> None:
    tenant, run_calibration = calibrate
    settings.RERANKER = "off"
    run_calibration()
    assert set(stored_gate(tenant)["threshold"]) == {"words"}


def test_a_single_threshold_becomes_that_of_every_kind_that_was_not_measured(
    calibrate: tuple[Tenant, Callable[..., str]],
) -> None:
    tenant, run_calibration = calibrate
    with tenant_atomic(tenant.id):
        Assistant.objects.update(refusal_gate={"threshold": 0.7})
    run_calibration()
    thresholds = stored_gate(tenant)["threshold"]
    assert (thresholds["en"], thresholds["en-reranked"], thresholds["cross-reranked"]) == (0.7, 0.7, 0.7)


def test_a_dry_run_changes_nothing(calibrate: tuple[Tenant, Callable[..., str]]) -> None:
    tenant, run_calibration = calibrate
    run_calibration("--dry-run")
    assert stored_gate(tenant) == {}


def test_too_few_questions_change_nothing(worker: Runtime, tmp_path: Path) -> None:
    tenant = make_tenant()
    publish(tenant, "Delivery", DELIVERY)
    with pytest.raises(CommandError, match="Too few questions"):
        run("calibrate_refusal", tenant.slug)
    assert stored_gate(tenant) == {}


THINGS = ("fern", "lamp", "spade", "glove", "bench", "hose", "seed", "basket", "trowel", "rake", "moss", "cactus")


@pytest.fixture
def rephrased(tmp_path: Path) -> Path:
    """Three wordings of the same question for each thing; of the scripted embedder's words only one differs."""
    path = tmp_path / "rephrased.json"
    wordings = ("{} today", "please {} today", "hello {} today")
    groups = [
        {
            "language": "en",
            "questions": [each.format(f"do you sell a {thing} in your shop in town") for each in wordings],
        }
        for thing in THINGS
    ]
    path.write_text(json.dumps({"groups": groups}), encoding="utf-8")
    return path


def similarity_of(tenant: Tenant) -> dict[str, Any]:
    with tenant_atomic(tenant.id):
        return dict(current_state().similarity)


def test_the_similarity_of_questions_is_measured_and_stored(worker: Runtime, rephrased: Path) -> None:
    tenant = make_tenant("similar")
    out = run("calibrate_cache", "similar", "--questions", str(rephrased))
    assert "en: 36 questions, 36 pairs with the same answer" in out
    stored = similarity_of(tenant)
    assert stored["model"] == "scripted"
    assert f"chosen: {stored['en']}" in out
    assert 0.9 <= stored["en"] < 1


def test_a_dry_run_leaves_the_similarity(worker: Runtime, rephrased: Path) -> None:
    tenant = make_tenant("similar")
    run("calibrate_cache", "similar", "--questions", str(rephrased), "--dry-run")
    assert similarity_of(tenant) == {}


def test_too_few_rephrased_questions_change_nothing(worker: Runtime, tmp_path: Path) -> None:
    tenant = make_tenant("similar")
    path = tmp_path / "few.json"
    path.write_text(json.dumps({"groups": [{"language": "en", "questions": ["a b", "b a"]}]}), encoding="utf-8")
    with pytest.raises(CommandError, match="Too few"):
        run("calibrate_cache", "similar", "--questions", str(path))
    assert similarity_of(tenant) == {}


def test_a_squad_file_measures_similar_questions_without_a_tenant(worker: Runtime, question_file: Path) -> None:
    assert "en: 2 questions, 0 pairs with the same answer" in run("calibrate_cache", "--squad", str(question_file))


@pytest.mark.parametrize("arguments", [[], ["similar"], ["nobody", "--questions", "x.json"]])
def test_what_calibrate_cache_lacks_is_said(worker: Runtime, arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        run("calibrate_cache", *arguments)
