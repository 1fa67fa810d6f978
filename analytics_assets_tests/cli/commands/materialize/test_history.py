"""The command removes old runs from the history, where no daemon does."""

from pathlib import Path

import pytest

from analytics_assets.cli.instance import open_instance
from analytics_assets_tests.cli.conftest import Invoke
from analytics_assets_tests.orchestration.automation.retention.old_history import load, runs


@pytest.mark.usefixtures("duckdb_warehouse")
def test_the_command_removes_old_runs_from_the_history(invoke: Invoke, clean_place: Path) -> None:
    with open_instance() as instance:
        old, young = load(instance, age=100), load(instance, age=50)

    assert invoke("materialize", "page_views").exit_code in (0, 1)

    with open_instance() as instance:
        assert young in runs(instance)
        assert old not in runs(instance)
    assert list(clean_place.rglob(f"{old}*")) == []


def test_days_that_cannot_be_used_are_refused_before_anything_is_loaded(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HISTORY__RUN_DAYS", "3")
    done = invoke("materialize", "page_views")
    assert done.exit_code == 1
    assert "The setting `history.run_days` cannot be 3" in " ".join(done.output.split())
    assert "Loading" not in done.output
