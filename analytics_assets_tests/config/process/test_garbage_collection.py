"""Garbage collection: what lives as long as the process is skipped, at its end, too."""

import gc
import subprocess
import sys

import pytest

from analytics_assets.config.process.garbage_collection import (
    garbage_collection_paused,
    objects_kept,
)

BEGIN = """
import atexit, gc
atexit.register(lambda: print(gc.get_freeze_count()))  # called after those registered later
from analytics_assets.config.process.garbage_collection import objects_kept
"""
OPEN_DUCKDB = """
import duckdb
if "opened" in globals():
    opened()
"""
KEEP = """
import functools
with objects_kept():
    @functools.cache
    def opened():  # a cycle with this module
        import duckdb
        return duckdb.connect()
"""


@pytest.mark.parametrize(
    ("parts", "is_kept"),
    [([OPEN_DUCKDB, KEEP], False), ([KEEP, OPEN_DUCKDB], False), ([KEEP], True)],
)
def test_the_end_of_a_process_skips_what_is_kept_unless_duckdb_would_report_leaks(
    parts: list[str], is_kept: bool
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "".join([BEGIN, *parts])], capture_output=True, text=True, check=True
    )
    assert (done.stdout.strip() != "0") is is_kept
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
