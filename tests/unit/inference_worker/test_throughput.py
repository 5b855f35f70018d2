"""What a reply takes of a worker does not depend on how many are written beside it."""

from __future__ import annotations

import pytest

from inference_worker.throughput import NEWEST_WEIGHT, Throughput


class Clock:
    """Moves when told."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("count", [1, 4, 16])
def test_replies_side_by_side_share_the_worker(count: int) -> None:
    clock = Clock()
    throughput = Throughput(clock=clock)
    begun = [throughput.begin() for _ in range(count)]
    clock.now += 2.0 * count
    for mark in begun:
        throughput.end(mark)
    assert throughput.seconds_per_reply == pytest.approx(2.0)


def test_only_seconds_in_which_it_was_written_count() -> None:
    clock = Clock()
    throughput = Throughput(clock=clock)
    first = throughput.begin()
    clock.now += 1.0
    second = throughput.begin()
    clock.now += 2.0
    throughput.end(first)
    assert throughput.seconds_per_reply == pytest.approx(1.0 + 2.0 / 2)
    clock.now += 3.0
    throughput.end(second, is_measured=False)
    clock.now += 60.0
    third = throughput.begin()
    clock.now += 4.0
    throughput.end(third)
    assert throughput.seconds_per_reply == pytest.approx(2.0 + NEWEST_WEIGHT * 2.0)


def test_before_the_first_reply_nothing_is_known() -> None:
    assert Throughput().seconds_per_reply is None
