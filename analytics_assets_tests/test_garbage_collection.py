"""Garbage collection: what lives as long as the process is skipped, at its end, too."""

import gc
import subprocess
import sys

import pytest

from analytics_assets.garbage_collection import garbage_collection_paused, objects_kept

BEGIN = """
import atexit, gc
atexit.register(lambda: print(gc.get_freeze_count()))  # called after those registered later
from analytics_assets.garbage_collection import objects_kept
"""
OPEN_DUCKDB = """
import duckdb
with duckdb.connect() as connection:
    connection.execute("SELECT 1").fetchall()
"""
KEEP = """
with objects_kept():
    kept = [[] for _ in range(1000)]
"""


@pytest.mark.parametrize("is_first", [True, False])
def test_duckdb_reports_no_leak_whether_it_is_imported_before_or_after(is_first: bool) -> None:
    program = [BEGIN, OPEN_DUCKDB, KEEP] if is_first else [BEGIN, KEEP, OPEN_DUCKDB]
    done = subprocess.run(
        [sys.executable, "-c", "".join(program)], capture_output=True, text=True, check=True
    )
    # the end of a process is quick if its objects are skipped
    assert (done.stdout.strip() == "0") is is_first
    assert done.stderr == ""


def test_a_pause_leaves_a_collector_that_was_off_as_it_was() -> None:
    gc.disable()
    try:
        with garbage_collection_paused(), objects_kept():
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()
        gc.unfreeze()
    with garbage_collection_paused():
        assert not gc.isenabled()
    assert gc.isenabled()
