"""Names of models in the environment: they become parts of queues' names, so that they are checked."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from helpdesk import env
from helpdesk.queue.celery import inference_queue

VARIABLE = "GLASSDESK_TEST_MODELS"


def test_models_are_read_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    assert env.named_models(VARIABLE) == {}
    monkeypatch.setenv(VARIABLE, " fast=packaged:int8 , large=/models/a=b,")
    assert list(env.named_models(VARIABLE).items()) == [("fast", "packaged:int8"), ("large", "/models/a=b")]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("fast", "must be like"),
        ("fast=", "must be like"),
        ("=x", "must be like"),
        ("Fast=x", "must be like"),
        ("a b=x", "must be like"),
        ("a=x,a=y", "twice"),
    ],
)
def test_models_that_cannot_be_queues_are_refused(monkeypatch: pytest.MonkeyPatch, text: str, reason: str) -> None:
    monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(ImproperlyConfigured, match=reason):
        env.named_models(VARIABLE)


def test_a_name_decides_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [inference_queue(env.model_name(VARIABLE)), inference_queue("large")] == ["inference", "inference.large"]
    monkeypatch.setenv(VARIABLE, "large,small")
    with pytest.raises(ImproperlyConfigured, match="small letters"):
        env.model_name(VARIABLE)


def test_a_check_of_the_code_needs_no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "none:")
    assert env.database(VARIABLE, "") == {"ENGINE": "django.db.backends.dummy"}
    monkeypatch.setenv(VARIABLE, "mysql://x/y")
    with pytest.raises(ImproperlyConfigured, match="must be a postgresql:// URL"):
        env.database(VARIABLE, "")


@pytest.mark.parametrize("text", ["0", "1", "-0.1", "1.5", "nan", "inf", "half", "", "85%", "0,85"])
def test_a_share_is_a_number_between_nothing_and_all(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    assert env.fraction(VARIABLE, 0.85) == 0.85
    monkeypatch.setenv(VARIABLE, "0.425")
    assert env.fraction(VARIABLE, 0.85) == 0.425
    monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(ImproperlyConfigured, match=VARIABLE):
        env.fraction(VARIABLE, 0.85)


def test_a_choice_is_one_of_the_permitted_words(monkeypatch: pytest.MonkeyPatch) -> None:
    assert env.choice(VARIABLE, "auto", ("auto", "1", "2")) == "auto"
    monkeypatch.setenv(VARIABLE, "2")
    assert env.choice(VARIABLE, "auto", ("auto", "1", "2")) == "2"
    monkeypatch.setenv(VARIABLE, "3")
    with pytest.raises(ImproperlyConfigured, match="auto, 1, 2"):
        env.choice(VARIABLE, "auto", ("auto", "1", "2"))


def test_a_default_that_has_to_be_found_out_is_asked_for_only_when_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert env.integer_or(VARIABLE, lambda: 81, minimum=1) == 81
    monkeypatch.setenv(VARIABLE, "12")
    assert env.integer_or(VARIABLE, lambda: pytest.fail("asked"), minimum=1) == 12
    monkeypatch.setenv(VARIABLE, "0")
    with pytest.raises(ImproperlyConfigured, match="at least 1"):
        env.integer_or(VARIABLE, lambda: 81, minimum=1)


def test_a_choice_may_also_be_a_file_with_the_right_ending(monkeypatch: pytest.MonkeyPatch) -> None:
    def read() -> str:
        return env.choice_or_file("GLASSDESK_TEST", "packaged", ("packaged", "off"), ending=".safetensors")

    assert read() == "packaged"
    for value in ("off", "/models/own.safetensors", "own.safetensors"):
        monkeypatch.setenv("GLASSDESK_TEST", value)
        assert read() == value
    for value in ("", "on", "/models/own.bin", "OFF"):
        monkeypatch.setenv("GLASSDESK_TEST", value)
        with pytest.raises(ImproperlyConfigured, match="packaged, off or the path of a file"):
            read()
