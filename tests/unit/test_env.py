"""Names of models in the environment: they become parts of queues' names, so that they are checked."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from helpdesk import env
from helpdesk.celery import inference_queue

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
