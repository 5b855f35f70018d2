"""Who is fed next."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batches.turns import Standing, share_slots

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def standing(tenant: int, batch: int, *, waiting: int = 100, running: int = 0, ago: int | None = None) -> Standing:
    return Standing(
        tenant_id=uuid.UUID(int=1000 + tenant),
        batch_id=uuid.UUID(int=batch),
        waiting=waiting,
        running=running,
        fed_at=None if ago is None else NOW - timedelta(seconds=ago),
    )


def shares(*standings: Standing, slots: int) -> dict[int, int]:
    return {batch.int: count for batch, count in share_slots(standings, slots=slots).items()}


def test_tenants_share_the_slots_however_many_batches_each_has() -> None:
    given_batches = [standing(1, 1), standing(1, 2), standing(1, 3), standing(2, 4)]
    assert shares(*given_batches, slots=8) == {1: 2, 2: 1, 3: 1, 4: 4}


def test_what_is_in_work_already_counts() -> None:
    assert shares(standing(1, 1, running=6), standing(2, 2), slots=2) == {2: 2}


def test_a_single_slot_goes_to_the_tenant_that_waited_longest() -> None:
    assert shares(standing(1, 1, ago=1), standing(2, 2, ago=9), standing(3, 3, ago=5), slots=1) == {2: 1}


def test_a_batch_that_was_never_fed_goes_before_its_tenants_other_one() -> None:
    assert shares(standing(1, 1, ago=50), standing(1, 2), slots=1) == {2: 1}


def test_slots_that_one_tenant_cannot_use_go_to_the_others() -> None:
    assert shares(standing(1, 1, waiting=1), standing(2, 2), slots=8) == {1: 1, 2: 7}


def test_no_slots_and_no_batches_begin_nothing() -> None:
    assert shares(standing(1, 1), slots=0) == shares(standing(1, 1), slots=-3) == shares(slots=5) == {}


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 12), st.integers(0, 4)), min_size=1, max_size=12),
    st.integers(0, 20),
)
def test_slots_are_used_up_and_no_tenant_gets_two_more_than_another_that_waits(
    rows: list[tuple[int, int, int]], slots: int
) -> None:
    standings = [
        standing(tenant, number, waiting=waiting, running=running)
        for number, (tenant, waiting, running) in enumerate(rows, start=1)
    ]
    found = share_slots(standings, slots=slots)
    assert sum(found.values()) == min(slots, sum(each.waiting for each in standings))
    assert all(found.get(each.batch_id, 0) <= each.waiting for each in standings)
    work: dict[uuid.UUID, int] = {}
    begun: dict[uuid.UUID, int] = {}
    waits: dict[uuid.UUID, bool] = {}
    for each in standings:
        share = found.get(each.batch_id, 0)
        work[each.tenant_id] = work.get(each.tenant_id, 0) + each.running + share
        begun[each.tenant_id] = begun.get(each.tenant_id, 0) + share
        waits[each.tenant_id] = waits.get(each.tenant_id, False) or each.waiting > share
    for one, in_work in work.items():
        for other, others in work.items():
            if begun[one] and waits[other]:
                assert in_work <= others + 1
