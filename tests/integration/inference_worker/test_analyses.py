"""Causes, replays and alternatives of a finished answer, through the real queue and worker; stored sealed."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from conversations.domain import begin_visit
from conversations.inbound import from_visitor
from conversations.intake import receive
from conversations.models import Reply, ReplyStatus
from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.models import Membership
from inference_worker.answering.analysis.running import run_analysis
from inference_worker.engine.contract import EngineInfo
from inference_worker.engine.host import EngineHost
from inference_worker.engine.scripted import ScriptedEmbedder, ScriptedEngine
from inference_worker.runtime import Runtime
from tests.factories import make_tenant, make_user
from tests.integration.inference_worker.conftest import wait_for
from tests.integration.inference_worker.test_answering import QUESTION
from tracing.analysis_content import Alternatives, Attribution, Replay, analysis_result
from tracing.jobs import recover_jobs, renew_job, request_analysis
from tracing.models import AnalysisJob, AnalysisKind, JobState, Trace, TraceAnalysis
from tracing.read import open_trace_and_analyses
from tracing.verify import verify_chain


def answered(shop: Tenant, question: str = QUESTION) -> Trace:
    posted = receive(
        from_visitor(
            tenant_id=shop.id,
            visitor_id=begin_visit(shop.id),
            client_id=uuid.uuid4(),
            body=question,
            language="en",
        )
    )
    assert posted.reply is not None

    def done() -> bool:
        with tenant_atomic(shop.id):
            return Reply.objects.get(id=posted.reply.id).status == ReplyStatus.DONE

    wait_for(done)
    with tenant_atomic(shop.id):
        return Trace.objects.get(reply_id=posted.reply.id)


def analysed(shop: Tenant, trace: Trace, kind: AnalysisKind, **parameters: Any) -> Any:
    """Ask, wait, and open the result as a reviewer does."""
    user = make_user(shop, Role.REVIEWER)
    with tenant_atomic(shop.id):
        job = request_analysis(trace, kind=kind, parameters=parameters, user=user)

    def ended() -> bool:
        with tenant_atomic(shop.id):
            return AnalysisJob.objects.get(id=job.id).state in {JobState.DONE, JobState.FAILED}

    wait_for(ended)
    with tenant_atomic(shop.id):
        job.refresh_from_db()
        assert job.state == JobState.DONE, job.error_code
        membership = Membership.objects.get(user=user)
        row = Trace.objects.select_related("key").get(id=trace.id)
        opened = open_trace_and_analyses(trace=row, user=user, membership=membership, reason="a test of analyses")
        assert verify_chain(None).is_sound
    newest = opened.analyses[-1]
    assert newest.content is not None
    return analysis_result(newest.kind, newest.content)


def test_causes_are_measured_and_stored_sealed(shop: Tenant) -> None:
    found = analysed(shop, answered(shop), AnalysisKind.ATTRIBUTION)

    assert isinstance(found, Attribution)
    assert found.method == "leave_one_out"
    assert len(found.sentences) >= 1
    assert found.passes == 1 + len(found.passages)
    with tenant_atomic(shop.id):
        (row,) = TraceAnalysis.objects.all()
        assert b"effects" not in bytes(row.sealed)
        assert set(row.figures) == {"passes", "tokens", "sentences", "grounded_sentences"}


def test_an_unchanged_replay_is_exact_and_one_without_its_passage_is_not(shop: Tenant) -> None:
    trace = answered(shop)
    same = analysed(shop, trace, AnalysisKind.REPLAY, without=[], is_free=False)
    with tenant_atomic(shop.id):
        from tracing.opening import content_of

        content = content_of(Trace.objects.select_related("key").get(id=trace.id))
    assert content.prompt is not None
    without = analysed(shop, trace, AnalysisKind.REPLAY, without=[content.prompt.passages[0].chunk], is_free=False)
    free = analysed(shop, trace, AnalysisKind.REPLAY, without=[], is_free=True)

    assert isinstance(same, Replay)
    assert (same.verdict, same.changes, same.differences) == ("exact", (), ())
    assert (without.verdict, [each.name for each in without.differences]) == ("approximate", ["passages"])
    assert free.verdict == "changed"
    assert free.changes


def test_alternatives_are_sampled_without_restriction(shop: Tenant, engine: ScriptedEngine) -> None:
    found = analysed(shop, answered(shop), AnalysisKind.ALTERNATIVES)

    assert isinstance(found, Alternatives)
    assert len(found.answers) == 3
    assert sorted(request.sampling.seed for request in engine.requests[-3:]) == [1, 2, 3]  # type: ignore[type-var]


def test_analysis_of_a_refusal_fails_with_the_reason(shop: Tenant) -> None:
    trace = answered(shop, "Which planets have rings?")
    with tenant_atomic(shop.id):
        job = request_analysis(trace, kind=AnalysisKind.ATTRIBUTION)

    def failed() -> bool:
        with tenant_atomic(shop.id):
            return AnalysisJob.objects.get(id=job.id).state == JobState.FAILED

    wait_for(failed)
    with tenant_atomic(shop.id):
        job.refresh_from_db()
        assert job.error_code == "nothing_to_do"
        assert not TraceAnalysis.objects.exists()


def test_asking_twice_makes_one_job(shop: Tenant, worker: Runtime) -> None:
    trace = answered(shop)
    with worker.writing(tenant_id=shop.id, reply_id=uuid.uuid4(), attempt=1), tenant_atomic(shop.id):
        first = request_analysis(trace, kind=AnalysisKind.ATTRIBUTION)
        second = request_analysis(trace, kind=AnalysisKind.ATTRIBUTION)

    assert first.id == second.id


def test_what_nobody_asked_for_gives_way_to_customers(shop: Tenant, worker: Runtime) -> None:
    trace = answered(shop)
    with tenant_atomic(shop.id):
        job = AnalysisJob.objects.create(trace=trace, kind=AnalysisKind.ATTRIBUTION)
    with worker.writing(tenant_id=shop.id, reply_id=uuid.uuid4(), attempt=1):
        assert run_analysis(worker.spare_engine, tenant_id=shop.id, job_id=job.id)
    with tenant_atomic(shop.id):
        job.refresh_from_db()
        assert (job.state, job.attempt) == (JobState.QUEUED, 0)

    assert not run_analysis(worker.spare_engine, tenant_id=shop.id, job_id=job.id)
    with tenant_atomic(shop.id):
        job.refresh_from_db()
        assert job.state == JobState.DONE


def test_a_job_of_a_dead_worker_is_done_again(shop: Tenant) -> None:
    from datetime import timedelta

    from django.utils import timezone

    trace = answered(shop)
    with tenant_atomic(shop.id):
        job = AnalysisJob.objects.create(
            trace=trace,
            kind=AnalysisKind.ATTRIBUTION,
            state=JobState.RUNNING,
            claimed_at=timezone.now() - timedelta(hours=1),
        )
    recover_jobs(shop.id)
    with tenant_atomic(shop.id):
        AnalysisJob.objects.update(queued_at=timezone.now() - timedelta(minutes=5))

    assert recover_jobs(shop.id) == 1

    def done() -> bool:
        with tenant_atomic(shop.id):
            return AnalysisJob.objects.get(id=job.id).state == JobState.DONE

    wait_for(done)


def test_a_job_that_took_its_workers_along_is_given_up(shop: Tenant) -> None:
    from datetime import timedelta

    from django.utils import timezone

    trace = answered(shop)
    with tenant_atomic(shop.id):
        job = AnalysisJob.objects.create(
            trace=trace,
            kind=AnalysisKind.ATTRIBUTION,
            state=JobState.RUNNING,
            attempt=3,
            claimed_at=timezone.now() - timedelta(minutes=2),
        )
    recover_jobs(shop.id)
    with tenant_atomic(shop.id):
        job.refresh_from_db()
    assert (job.state, job.error_code) == (JobState.FAILED, "worker_lost")


def test_a_job_in_progress_is_kept_by_its_worker(shop: Tenant, worker: Runtime) -> None:
    from datetime import timedelta

    from django.utils import timezone

    trace = answered(shop)
    with tenant_atomic(shop.id):
        job = AnalysisJob.objects.create(
            trace=trace,
            kind=AnalysisKind.ATTRIBUTION,
            state=JobState.RUNNING,
            attempt=1,
            claimed_at=timezone.now() - timedelta(minutes=2),
        )
    renew_job(tenant_id=shop.id, job_id=job.id)
    recover_jobs(shop.id)
    with tenant_atomic(shop.id):
        job.refresh_from_db()
    assert job.state == JobState.RUNNING


def test_another_tenant_s_job_is_not_found(shop: Tenant, worker: Runtime) -> None:
    trace = answered(shop)
    with tenant_atomic(shop.id):
        job = AnalysisJob.objects.create(trace=trace, kind=AnalysisKind.ATTRIBUTION)

    assert not run_analysis(worker.spare_engine, tenant_id=make_tenant("other").id, job_id=job.id)
    with tenant_atomic(shop.id):
        job.refresh_from_db()
        assert job.state == JobState.QUEUED


class OtherEngine(ScriptedEngine):
    """Another model, as a second worker serves it."""

    def info(self) -> EngineInfo:
        return dataclasses.replace(super().info(), model="other")


@pytest.fixture
def second(worker: Runtime) -> Iterator[Runtime]:
    """A second worker, of a model that assistants choose as `other`."""
    second = Runtime(host=EngineHost(OtherEngine()), embedder=ScriptedEmbedder())
    second.host.start()
    yield second
    second.stop()


def test_each_worker_leaves_the_other_models_analyses_alone(
    shop: Tenant, worker: Runtime, second: Runtime, settings: Settings
) -> None:
    trace = answered(shop)
    with tenant_atomic(shop.id):
        chosen = AnalysisJob.objects.create(
            trace=trace, kind=AnalysisKind.REPLAY, parameters={"without": [], "is_free": False, "model": "other"}
        )
        plain = AnalysisJob.objects.create(trace=trace, kind=AnalysisKind.REPLAY, parameters={})

    def states() -> list[tuple[str, int]]:
        with tenant_atomic(shop.id):
            rows = {job.id: (job.state, job.attempt) for job in AnalysisJob.objects.all()}
        return [rows[chosen.id], rows[plain.id]]

    assert not run_analysis(worker.spare_engine, tenant_id=shop.id, job_id=chosen.id)
    settings.MODEL_NAME = "other"
    assert not run_analysis(second.spare_engine, tenant_id=shop.id, job_id=plain.id)
    assert states() == [("queued", 0), ("queued", 0)]

    assert not run_analysis(second.spare_engine, tenant_id=shop.id, job_id=chosen.id)
    settings.MODEL_NAME = ""
    assert not run_analysis(worker.spare_engine, tenant_id=shop.id, job_id=plain.id)
    assert states() == [("done", 1), ("done", 1)]
    with tenant_atomic(shop.id):
        figures = {job.id: job.analysis.figures for job in AnalysisJob.objects.select_related("analysis")}
    assert [figures[job.id]["differences"] for job in (chosen, plain)] == [1, 0]


@pytest.mark.parametrize("kind", ["attribution", "replay", "alternatives"])
def test_unknown_shapes_of_stored_results_are_refused(kind: str) -> None:
    from tracing.plain import Malformed

    with pytest.raises(Malformed):
        analysis_result(kind, {"method": 3})
