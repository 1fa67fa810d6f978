"""Waiting: for as long as patience lasts, with a line for each one that is waited for."""

import logging

import pytest

from analytics_assets.warehouse.errors import WarehouseLockedError
from analytics_assets.warehouse.lock_wait import LockWait


class Door:
    """What is free once each of its holders was met."""

    def __init__(self, *holders: str) -> None:
        self.holders = list(holders)

    def take(self) -> str:
        if self.holders:
            holder = self.holders.pop(0)
            raise WarehouseLockedError("the door", holder, f"The door is held by {holder}.")
        return "taken"


def test_what_is_free_is_taken_at_once_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    assert LockWait(0).acquire(Door().take) == "taken"
    assert caplog.messages == []


def test_each_one_that_is_waited_for_is_named_once_in_the_log_of_the_run(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log = logging.getLogger("the run")
    assert LockWait(60, log).acquire(Door("A", "A", "A", "B").take) == "taken"
    lines = [record.message for record in caplog.records if record.name == "the run"]
    assert lines == [
        f"Waiting for {holder}, which holds the door; for up to 60 s (setting `lock_patience`) ..."
        for holder in ("A", "B")
    ]


def test_without_a_log_the_line_goes_to_where_warnings_go(caplog: pytest.LogCaptureFixture) -> None:
    LockWait(60).acquire(Door("A").take)
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("analytics_assets.warehouse.lock_wait", "WARNING")


def test_when_patience_is_over_the_error_says_who_is_in_the_way() -> None:
    with pytest.raises(WarehouseLockedError, match=r"The door is held by A\."):
        LockWait(0.01).acquire(Door(*["A"] * 1000).take)


def test_an_error_that_is_no_lock_is_not_waited_for() -> None:
    def broken() -> None:
        raise ValueError("no lock")

    with pytest.raises(ValueError, match="no lock"):
        LockWait(60).acquire(broken)
