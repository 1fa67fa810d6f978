"""Waiting for a lock: up to its time, with a line in the log for each holder."""

import logging

import pytest

from analytics_assets.warehouse.errors import WarehouseLockedError
from analytics_assets.warehouse.locks.lock_wait import LockWait


class Door:
    """A lock that is free once each of its holders was met."""

    def __init__(self, *holders: str) -> None:
        self.holders = list(holders)

    def take(self) -> str:
        if self.holders:
            holder = self.holders.pop(0)
            raise WarehouseLockedError("the door", holder, f"The door is held by {holder}.")
        return "taken"


def test_a_free_lock_is_taken_at_once_without_a_line(caplog: pytest.LogCaptureFixture) -> None:
    assert LockWait(0).acquire(Door().take) == "taken"
    assert caplog.messages == []


def test_each_holder_is_named_once_in_the_log_of_the_run(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log = logging.getLogger("the run")
    assert LockWait(60, log).acquire(Door("A", "A", "A", "B").take) == "taken"
    lines = [record.message for record in caplog.records if record.name == "the run"]
    assert lines == [
        f"Waiting for {holder}, which holds the door; for up to 1 min (setting `lock_patience`) ..."
        for holder in ("A", "B")
    ]


def test_the_holder_is_shown_while_the_lock_is_waited_for() -> None:
    shown = list[str]()
    LockWait(60, waiting=shown.append).acquire(Door("A", "B").take)
    LockWait(60, waiting=shown.append).acquire(Door().take)
    assert shown == ["A, which holds the door", "B, which holds the door", ""]


def test_without_a_log_of_a_run_the_line_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    LockWait(60).acquire(Door("A").take)
    (record,) = caplog.records
    logger = "analytics_assets.warehouse.locks.lock_wait"
    assert (record.name, record.levelname) == (logger, "WARNING")


def test_the_error_after_the_wait_names_the_holder() -> None:
    with pytest.raises(WarehouseLockedError, match=r"The door is held by A\."):
        LockWait(0.01).acquire(Door(*["A"] * 1000).take)


def test_another_error_is_raised_at_once() -> None:
    def broken() -> None:
        raise ValueError("no lock")

    with pytest.raises(ValueError, match="no lock"):
        LockWait(60).acquire(broken)
