"""A time limit interrupts the code inside it, and nothing else."""

import time
from contextlib import suppress
from datetime import timedelta
from threading import Timer

import pytest

from analytics_assets.config.errors import AnalyticsAssetsError
from analytics_assets.orchestration.runs.liveness.time_limit import (
    LoadTooLongError,
    TimeIsUp,
    TimeLimit,
)
from analytics_assets_tests.orchestration.runs.executor.jobs import PATIENCE

SOON, LATE = timedelta(milliseconds=20), timedelta(hours=1)


def work(seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.001)


def test_code_that_takes_too_long_is_interrupted() -> None:
    with pytest.raises(LoadTooLongError, match="longer than `max_runtime`, "), TimeLimit(SOON):
        work()


def test_an_interruption_that_somebody_swallows_is_repeated() -> None:
    swallowed = list[bool]()

    def stubborn() -> None:
        with TimeLimit(SOON):
            with suppress(TimeIsUp):
                work()
            swallowed.append(True)
            work()

    while not swallowed:  # on a busy machine it may come before the code that swallows it
        with pytest.raises(LoadTooLongError):
            stubborn()


def test_an_error_of_the_code_stays_as_it_is() -> None:
    with pytest.raises(ValueError, match="own"), TimeLimit(LATE):
        raise ValueError("own")


@pytest.mark.parametrize("limit", [None, LATE])
def test_code_within_its_time_is_left_alone(limit: timedelta | None) -> None:
    with TimeLimit(limit):
        work(0.01)


def test_code_that_another_thread_ends_is_interrupted_with_its_error() -> None:
    limit = TimeLimit(None)
    ends = Timer(0.2, limit.end, [AnalyticsAssetsError("ended elsewhere")])

    def work_until_ended() -> None:
        ends.start()
        work()

    with pytest.raises(AnalyticsAssetsError, match="ended elsewhere"), limit:
        work_until_ended()

    limit.end(AnalyticsAssetsError("too late"))
    work(0.01)


def test_code_behind_a_limit_that_is_lifted_is_not_interrupted() -> None:
    limit = TimeLimit(LATE)
    with limit:
        limit.lift()
        limit.end(AnalyticsAssetsError("too late"))
        work(0.01)
