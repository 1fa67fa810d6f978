"""Old logs leave the history; other files in their folder stay."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import time

import dagster as dg

from analytics_assets.orchestration.automation.retention.compat import logs_folder
from analytics_assets.orchestration.automation.retention.logs import remove_old_logs
from analytics_assets_tests.orchestration.automation.retention.old_history import trim

NOW, DAY = time(), 86_400.0
LOGS = (
    "run/compute_logs/step.out",
    "run/compute_logs/step.err",
    "run/compute_logs/step.complete",
    "__repository__/housekeeping/17.err",
    "backfill/abc/20260101_000000.err",
)


@contextmanager
def of_age(file: Path, days: float) -> Iterator[None]:
    """Make a file with its folders as old as some days, after the context."""
    file.parent.mkdir(parents=True, exist_ok=True)
    yield
    moment = NOW - days * DAY
    os.utime(file, (moment, moment))
    os.utime(file.parent, (moment, moment))
    os.utime(file.parent.parent, (moment, moment))


def test_old_logs_of_runs_ticks_and_backfills_leave_with_their_folders(tmp_path: Path) -> None:
    for name in LOGS:
        with of_age(tmp_path / name, 100):
            (tmp_path / name).write_text("printed")
    young = tmp_path / "__repository__" / "housekeeping" / "18.err"
    with of_age(young, 10):
        young.write_text("printed")

    assert remove_old_logs(tmp_path, NOW - 90 * DAY, "", float("inf")) is None

    assert [file for file in tmp_path.rglob("*") if file.is_file()] == [young]


def test_the_value_of_an_asset_stays_in_the_folder_that_has_logs_by_default(
    stored: dg.DagsterInstance,
) -> None:
    @dg.asset
    def forecast() -> int:
        return 7

    @dg.asset(partitions_def=dg.StaticPartitionsDefinition(["a"]))
    def by_part() -> int:
        return 8

    dg.materialize([forecast], instance=stored)
    dg.materialize([by_part], instance=stored, partition_key="a")
    folder = logs_folder(stored)
    assert folder
    values = [folder / "forecast", folder / "by_part" / "a"]
    for value in values:
        assert value.is_file()
        with of_age(value, 100):
            pass

    trim(stored)

    assert all(value.is_file() for value in values)
