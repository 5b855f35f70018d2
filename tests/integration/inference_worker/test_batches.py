"""A batch job from its submission to its results: real queue, real worker, one trace for each item."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from batches.domain import cancel_batch
from batches.feeding import feed
from batches.management.commands import batch as batch_command
from batches.models import Batch, BatchItem, BatchState
from batches.queries import ended_items
from batches.shapes import result_shapes
from conversations.models import Message, Reply, ReplyStatus
from conversations.replies import release_reply
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from inference_worker.engine.scripted import ScriptedEngine
from inference_worker.runtime import Runtime
from tests.factories import make_question, make_tenant
from tests.integration.batches.jobs import QUESTION, current, progress, states, submit
from tests.integration.inference_worker.conftest import wait_for
from tracing.models import AnalysisJob, Trace


def feed_until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """What beat and the default worker do, until the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        feed()
        time.sleep(0.02)


def ended(batch: Batch) -> bool:
    return current(batch).state in {BatchState.DONE, BatchState.CANCELLED}


def results(batch: Batch) -> list[dict[str, object]]:
    with tenant_atomic(batch.tenant_id):
        return [shape.as_json() for shape in result_shapes(ended_items(batch, limit=1000))]


def test_every_item_gets_its_answer_and_exactly_one_trace(shop: Tenant, engine: ScriptedEngine) -> None:
    questions = [{"custom_id": f"q{number}", "question": QUESTION} for number in range(40)]
    batch = submit(shop, *questions, {"custom_id": "no", "question": "Who won the football world cup in 1998?"})
    feed_until(lambda: ended(batch))
    found = {result["custom_id"]: result for result in results(batch)}
    assert (len(found), {result["state"] for result in found.values()}) == (41, {"done"})
    answered, refused = found["q7"], found["no"]
    assert "one working day" in str(answered["answer"])
    assert (answered["outcome"], answered["error"], refused["outcome"]) == ("answered", None, "refused")
    assert answered["sources"][0]["title"] == "Delivery and returns"  # type: ignore[index]
    assert "passage" not in answered["sources"][0]  # type: ignore[index]
    assert answered["usage"]["completion_tokens"] > 3  # type: ignore[index]
    with tenant_atomic(shop.id):
        traces = {str(trace.id): trace for trace in Trace.objects.select_related("conversation")}
        # What nobody asked about is not analysed unasked.
        assert AnalysisJob.objects.count() == 0
        assert Message.objects.filter(author="ai").count() == 41
    assert sorted(traces) == sorted(str(result["trace_id"]) for result in found.values())
    assert {request.priority >= 50 for request in engine.requests} == {True}


def test_batches_of_two_tenants_finish_side_by_side(shop: Tenant, engine: ScriptedEngine) -> None:
    engine.delay = 0.002
    other = make_tenant()
    big, small = submit(shop, count=60), submit(other, count=3)
    feed_until(lambda: ended(small))
    assert progress(big).ended < 60
    feed_until(lambda: ended(big))
    assert progress(big).done == 60


def test_cancelling_stops_the_items_in_the_engine(shop: Tenant, engine: ScriptedEngine) -> None:
    engine.delay = 0.5
    batch = submit(shop, count=30)
    with override_settings(BATCH_IN_FLIGHT=4):
        feed_until(lambda: len(engine.requests) == 4)
        cancel_batch(tenant_id=shop.id, batch_id=batch.id)
        feed_until(lambda: ended(batch))
    assert (current(batch).state, set(states(batch))) == (BatchState.CANCELLED, {"cancelled"})
    wait_for(lambda: len(engine.aborted) == 4)
    with tenant_atomic(shop.id):
        assert Reply.objects.count() == 4


def test_background_work_waits_for_customers_and_not_for_batches(
    shop: Tenant, engine: ScriptedEngine, worker: Runtime
) -> None:
    engine.delay = 0.3
    batch = submit(shop, count=1)
    feed_until(lambda: engine.requests)
    assert (worker.is_answering, worker.is_idle) == (False, False)
    _, _, reply = make_question(shop, QUESTION)
    assert reply is not None
    wait_for(lambda: worker.is_answering)
    engine.delay = 0.0

    def answered() -> bool:
        with tenant_atomic(shop.id):
            return Reply.objects.get(id=reply.id).status == ReplyStatus.DONE

    wait_for(answered)
    feed_until(lambda: ended(batch))


def test_workers_that_die_in_mid_answer_lose_and_repeat_no_item(
    shop: Tenant, engine: ScriptedEngine, worker: Runtime
) -> None:
    engine.delay = 0.05
    batch = submit(shop, count=24)
    for number in range(3):
        feed_until(lambda number=number: progress(batch).done >= 4 * number and len(engine.requests) > 4 * number)  # type: ignore[misc]
        # As a drained worker does: what it writes goes back to the queue, for the next worker to begin anew.
        with tenant_atomic(shop.id):
            running = list(Reply.objects.filter(status=ReplyStatus.RUNNING, attempt=1)[:2])
        for reply in running:
            release_reply(tenant_id=shop.id, reply_id=reply.id, attempt=reply.attempt)
    engine.delay = 0.0
    feed_until(lambda: ended(batch))
    assert progress(batch).done == 24
    with tenant_atomic(shop.id):
        assert (Trace.objects.count(), Reply.objects.count(), BatchItem.objects.count()) == (24, 24, 24)
        assert Reply.objects.filter(attempt=2).exists()


def test_the_command_submits_a_file_and_writes_each_result_once(
    shop: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Beat is not there to do it.
    monkeypatch.setattr(batch_command, "sleep", lambda _seconds: feed())
    file, out = tmp_path / "questions.jsonl", tmp_path / "results.jsonl"
    file.write_text(
        "".join(json.dumps({"custom_id": f"q{number}", "question": QUESTION}) + "\n" for number in range(9))
    )
    call_command("batch", shop.slug, str(file), "--out", str(out), stderr=io.StringIO())
    results = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert sorted(result["custom_id"] for result in results) == [f"q{number}" for number in range(9)]
    assert {result["state"] for result in results} == {"done"}


def test_the_command_names_bad_lines_and_submits_nothing(shop: Tenant, tmp_path: Path) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_text('{"question": "Fine?"}\n{"question": ""}\n')
    with pytest.raises(CommandError, match="line 2"):
        call_command("batch", shop.slug, str(file))
    with tenant_atomic(shop.id):
        assert Batch.objects.count() == 0
