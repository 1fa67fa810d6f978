"""The command `materialize`: its table, its reasons and its exit code."""

import json
from pathlib import Path

import pytest

from analytics_assets.sandbox import sandbox_rows
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.cli.command_line import summary
from analytics_assets_tests.cli.conftest import Invoke
from analytics_assets_tests.conftest import TODAY
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.sandbox import Sandbox


def test_a_failed_resource_shows_in_the_table_with_its_reason(
    invoke: Invoke, connected: Sandbox, duckdb_warehouse: Warehouse
) -> None:
    connected.faults.add(Fault(path="/v1/traffic_sources", times=None, status=403))

    done = invoke("materialize", "traffic_sources", "page_views")

    assert done.exit_code == 1
    cells = summary(done.stdout)
    assert cells["traffic_sources"][1] == "failed"
    assert cells["page_views"][1] == f"{len(sandbox_rows('page_views', TODAY)):,}"
    assert "traffic_sources was not loaded" in done.stdout
    assert "Traceback" not in done.output
    assert f"Warehouse: {duckdb_warehouse.duckdb_file}, dataset analytics" in done.stdout


@pytest.mark.usefixtures("duckdb_warehouse")
def test_a_resource_that_is_refused_window_by_window_is_not_asked_for_all_of_them(
    invoke: Invoke, connected: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SANDBOX__TODAY", "2026-06-01")
    connected.faults.add(Fault(path="/v1/traffic_sources", times=None, status=403))

    done = invoke("materialize", "traffic_sources")

    assert done.exit_code == 1
    text = " ".join(done.stdout.split())
    assert "other windows of analytics/traffic_sources, as 2 in a row failed" in text
    assert text.index("the API answered 403") < text.index("Left out") < text.index("Warehouse:")
    asked = {each.query["start_date"] for each in connected.requests if "start_date" in each.query}
    assert asked == {"2025-07-02", "2025-10-02"}


@pytest.mark.parametrize(
    ("rejected", "exit_code", "outcome"),
    [
        (0, 0, "Error: the check newest_data of analytics/page_views failed: The newest"),
        (1, 1, "Error: the check no_rejected_rows of analytics/page_views failed: 1 row"),
        (
            3,
            1,
            "page_views was not loaded. All 3 rows of the API were rejected, and are in `reject",
        ),
    ],
)
def test_rejected_rows_fail_the_command_and_old_data_do_not(
    invoke: Invoke,
    connected: Sandbox,
    duckdb_warehouse: Warehouse,
    rejected: int,
    exit_code: int,
    outcome: str,
) -> None:
    rows = [dict(row) for row in sandbox_rows("page_views", TODAY)[:3]]
    for row in rows[:rejected]:
        row["date"] = "yesterday"
    page = json.dumps({"data": rows, "total": 3})
    connected.faults.add(Fault(path="/v1/page_views", times=None, body=page))

    done = invoke("materialize", "page_views")

    assert done.exit_code == exit_code, done.output
    assert outcome in " ".join(done.stdout.split())


def test_an_unreachable_warehouse_is_one_sentence_without_the_password(
    invoke: Invoke, connected: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESTINATION_TYPE", "postgres")
    url = "postgresql://me:my-secret@127.0.0.1:1/none"
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", url)

    done = invoke("materialize", "page_views")

    assert done.exit_code == 1
    assert "The warehouse cannot be opened: connection to server" in done.stderr
    assert "Traceback" not in done.output
    assert "my-secret" not in done.output
    assert connected.requests == []


def test_a_file_that_is_no_database_is_one_sentence(
    invoke: Invoke, connected: Sandbox, duckdb_warehouse: Warehouse
) -> None:
    assert duckdb_warehouse.duckdb_file
    duckdb_warehouse.duckdb_file.write_text("no database")

    done = invoke("materialize", "page_views")

    assert done.exit_code == 1
    assert done.stderr.startswith("Error: The warehouse cannot be opened, as its file is no DuckDB")
    assert str(duckdb_warehouse.duckdb_file) in done.stderr
    assert "Traceback" not in done.output
    assert connected.requests == []


def test_a_folder_without_dagster_yaml_gets_a_warning(
    invoke: Invoke, connected: Sandbox, duckdb_warehouse: Warehouse, clean_place: Path
) -> None:
    (clean_place / "dagster.yaml").unlink()
    connected.faults.add(Fault(path="/v1/page_views", times=None, status=403))

    assert "DAGSTER_HOME is not set" in invoke("materialize", "page_views").stdout


@pytest.mark.usefixtures("duckdb_warehouse")
def test_without_a_history_the_partitions_in_the_warehouse_are_not_loaded_again(
    invoke: Invoke, connected: Sandbox, clean_place: Path
) -> None:
    assert invoke("materialize", "traffic_sources").exit_code == 0
    (clean_place / "dagster.yaml").unlink()
    connected.requests.clear()

    done = invoke("materialize", "traffic_sources")

    assert done.exit_code == 0
    found = "Found 30 loaded partitions of analytics/traffic_sources in the warehouse: 2025-07-02 t"
    assert found in " ".join(done.stdout.split()), done.stdout
    asked = {each.query["start_date"] for each in connected.requests if "start_date" in each.query}
    assert asked == {"2025-07-28"}


def test_an_unknown_resource_is_refused_with_the_known_ones(invoke: Invoke) -> None:
    done = invoke("materialize", "trafic_sources")

    assert done.exit_code == 2
    assert "no API or resource trafic_sources" in done.stderr
    assert "traffic_sources" in done.stderr


def test_a_mistake_in_the_configuration_is_one_sentence(invoke: Invoke, api_file: Path) -> None:
    text = api_file.read_text().replace('"schedule": "0 6 * * *"', '"schedul": "0 6 * * *"')
    api_file.write_text(text)

    done = invoke("materialize")

    assert done.exit_code == 1
    line = text[: text.index('"schedul"')].count("\n") + 1
    assert done.stderr.startswith(
        f"Error: edited/api.py, line {line}: policy of `website_overview`: unknown key 'schedul'; "
        "did you mean `schedule`?"
    )
    assert "Traceback" not in done.stderr
