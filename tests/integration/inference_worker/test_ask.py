"""`manage.py ask`: prints an answer while it is written, or says why there is none."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command

from helpdesk.tenants.models import Tenant
from inference_worker.engine.scripted import ScriptedEngine

pytestmark = pytest.mark.django_db(transaction=True)

QUESTION = "How long does standard delivery take?"


def asked(tenant: Tenant, *options: str) -> str:
    output = io.StringIO()
    call_command("ask", tenant.slug, QUESTION, *options, stdout=output)
    return output.getvalue()


def test_the_answer_is_printed_as_it_is_written_and_then_all_that_led_to_it(shop: Tenant) -> None:
    text, _, report = asked(shop).partition("Confidence inputs")
    assert "three to five working days" in text
    assert "[1] Delivery and returns" in text
    assert "/desk/mossgate-test/traces/" in report


def test_with_json_one_object_is_printed_and_nothing_else(shop: Tenant) -> None:
    report = json.loads(asked(shop, "--json"))
    assert (report["outcome"], report["cache"]) == ("answered", None)
    assert "three to five working days" in report["answer"]


def test_a_reply_that_fails_is_an_error_that_says_why(
    shop: Tenant, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "fail_after", 1)
    with pytest.raises(CommandError, match=r"\(engine\)$"):
        asked(shop, "--no-cache")
