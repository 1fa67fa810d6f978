"""Assets of a mart, which `materialize` makes of the tables after their loads."""

import pytest

from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.cli.conftest import Invoke


@pytest.fixture(autouse=True)
def own_dataset(duckdb_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dataset for the mart alone."""
    monkeypatch.delenv("DATASET_NAME")


NEWEST = "2025-07-31"  # the day before the clock of the embedded API


def row_of(output: str, asset: str) -> list[str]:
    """Return the cells of an asset in the table at the end."""
    [line] = [line for line in output.splitlines() if line.strip().startswith(asset)]
    return line.split()[1:]


def test_a_mart_is_made_after_the_loads_unless_resources_are_named(
    invoke: Invoke,
) -> None:
    done = invoke("materialize")

    mart = Warehouse.from_settings("example_mart")
    [(rows,)] = mart.query("SELECT count(*) FROM example_mart.daily_traffic")
    assert "Making example_mart/daily_traffic ..." in done.stdout
    assert row_of(done.stdout, "example_mart/daily_traffic")[:4] == ["-", "-", str(rows), NEWEST]
    assert "example_mart/" not in invoke("materialize", "page_views").stdout
    assert done.exit_code == 0


def test_a_mart_is_skipped_if_a_table_of_it_was_not_loaded(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("RUNTIME__REQUEST_MAX_ATTEMPTS", "1")
    done = invoke("materialize")

    assert row_of(done.stdout, "example_mart/daily_traffic")[1] == "skipped"
    assert "Skipped example_mart/daily_traffic, as a table that is read for it" in done.stdout
    assert done.exit_code == 1


def test_a_mart_whose_tables_are_not_there_fails_with_the_remedy(invoke: Invoke) -> None:
    done = invoke("materialize", "example_mart")

    assert row_of(done.stdout, "example_mart/daily_traffic")[1] == "failed"
    assert "Load that table first, or correct the query." in done.stdout
    assert done.exit_code == 1


def test_a_mart_that_is_named_is_made_alone(invoke: Invoke) -> None:
    invoke("materialize", "page_views", "daily_active_users")
    done = invoke("materialize", "example_mart")

    assert row_of(done.stdout, "example_mart/daily_traffic")[3] == NEWEST
    assert "analytics/" not in done.stdout
    assert done.exit_code == 0


def test_a_name_that_is_wrong_has_the_marts_among_the_right_ones(invoke: Invoke) -> None:
    refused = invoke("materialize", "example_mart/daily_trafic")

    assert "did you mean `example_mart/daily_traffic`?" in refused.output
    assert refused.exit_code == 2
