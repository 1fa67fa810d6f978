"""The wait of a command for pools that runs of others hold."""

import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from analytics_assets.cli import pool_wait
from analytics_assets.cli.pool_wait import PoolWait
from analytics_assets.warehouse.errors import WarehouseLockedError
from analytics_assets_tests.conftest import ROOT

POOL = "duckdb"


@pytest.fixture
def stored(clean_place: Path) -> Iterator[dg.DagsterInstance]:
    """An instance with pools, as shipped."""
    (clean_place / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text())
    with dg.DagsterInstance.from_config(str(clean_place)) as instance:
        instance.event_log_storage.initialize_concurrency_limit_to_default(POOL)
        yield instance


def claim(instance: dg.DagsterInstance, run_id: str, step: str = "load") -> None:
    instance.event_log_storage.claim_concurrency_slot(POOL, run_id, step)


def test_a_free_pool_is_not_waited_for(stored: dg.DagsterInstance) -> None:
    PoolWait(stored, [POOL], patience=0).wait()


def test_a_wait_ends_after_lock_patience_and_names_the_run(
    stored: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOCK_PATIENCE", "0.2")
    claim(stored, "another")
    with pytest.raises(WarehouseLockedError) as refused:
        PoolWait(stored, [POOL]).wait()
    assert str(refused.value) == (
        "Others hold the pool duckdb for longer than 0.2 s (setting `lock_patience`), run another "
        "at last. Load again when it has ended, or terminate it in the UI."
    )
    assert "Waiting for run another, which loads into the same place; for up to 0.2 s" in (
        capsys.readouterr().out
    )


def test_a_run_that_waits_for_another_ends_after_lock_patience(stored: dg.DagsterInstance) -> None:
    now = [0.0]
    wait = PoolWait(stored, patience=60, clock=lambda: now[0])
    claim(stored, "another")
    wait.check("own")  # it does not wait there
    claim(stored, "own")
    now[0] = 100
    wait.check("own")
    now[0] += 1  # too soon for another look
    wait.check("own")
    now[0] += 70
    with pytest.raises(WarehouseLockedError, match="run another at last"):
        wait.check("own")


def test_steps_of_a_run_that_wait_for_each_other_are_no_wait_for_others(
    stored: dg.DagsterInstance,
) -> None:
    now = [100.0]
    wait = PoolWait(stored, patience=60, clock=lambda: now[0])
    claim(stored, "own", "first")
    claim(stored, "own", "second")
    for _ in range(3):
        now[0] += 70
        wait.check("own")


def test_a_slot_that_an_ended_run_has_left_behind_is_freed(
    stored: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_wait, "LEFT_BEHIND", 0.0)

    @dg.job
    def empty() -> None:
        pass

    run = empty.execute_in_process(instance=stored)
    claim(stored, run.run_id)
    began = time.monotonic()
    PoolWait(stored, [POOL], patience=60).wait()
    assert time.monotonic() - began < 30
