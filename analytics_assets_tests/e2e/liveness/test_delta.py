"""Loads into Delta tables that are killed: each table is the one before or the one after."""

import os
import signal
import subprocess
import sys
import time

import pytest

from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import ROOT
from analytics_assets_tests.support.holding import holding
from analytics_assets_tests.warehouse.destinations.delta.stored import delta_table, store, stored

ROWS = 20_000
LOAD = f"""
import sys
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.warehouse.destinations.delta.stored import store
rows = [{{"id": number, "name": sys.argv[-1]}} for number in range({ROWS})]
"""
HELD_LOAD = (
    LOAD
    + """
from analytics_assets.warehouse.destinations.delta.compat import load_jobs
change = load_jobs.change_rows
def held(table, changes):
    if sys.argv[1] == "before":
        hold()
    change(table, changes)
    hold()
load_jobs.change_rows = held
store(Warehouse.from_settings("analytics"), rows)
"""
)
LOADS = LOAD + "\nstore(Warehouse.from_settings('analytics'), rows)\n"


def names() -> dict[str, int]:
    """Return the number of rows by name."""
    found = [row["name"] for row in stored()]
    return {name: found.count(name) for name in set(found)}


def rows(name: str) -> list[dict[str, object]]:
    return [{"id": number, "name": name} for number in range(ROWS)]


@pytest.mark.parametrize(("moment", "expected"), [("before", "old"), ("after", "new")])
def test_a_load_that_is_killed_around_its_commit_leaves_one_of_both_and_is_repeated(
    delta_warehouse: Warehouse, moment: str, expected: str
) -> None:
    store(delta_warehouse, rows("old"))
    with holding(HELD_LOAD, moment, "new") as process:
        process.kill()
    assert names() == {expected: ROWS}

    store(delta_warehouse, rows("new"))  # the lock is free, and nothing waits to be loaded

    assert names() == {"new": ROWS}


def test_loads_that_are_killed_at_any_moment_mix_no_rows(delta_warehouse: Warehouse) -> None:
    store(delta_warehouse, rows("0"))
    written = {"0"}
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for number in range(1, 6):
        written.add(str(number))
        process = subprocess.Popen([sys.executable, "-c", LOADS, str(number)], env=environment)
        before, began = delta_table().version(), time.monotonic()
        while time.monotonic() - began < 1 + number and delta_table().version() == before:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        [(name, count)] = names().items()
        assert (name in written, count) == (True, ROWS)
    store(delta_warehouse, rows("last"))
    assert names() == {"last": ROWS}
    assert delta_warehouse.query("SELECT count(*), count(DISTINCT id) FROM orders") == [
        (ROWS, ROWS)
    ]
