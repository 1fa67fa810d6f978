"""The command `rejected`: lists rejected rows, loads those that fit, and forgets others."""

import json
import re
from pathlib import Path
from typing import Any

import click
import dagster as dg
import pytest
from click.testing import CliRunner

from analytics_assets.cli.instance import open_instance
from analytics_assets.cli.main import main
from analytics_assets.sandbox import sandbox_rows
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.cli.conftest import Invoke
from analytics_assets_tests.conftest import TODAY
from analytics_assets_tests.support.loading import change, table_rows, table_values
from analytics_assets_tests.support.sandbox import Sandbox
from analytics_assets_tests.support.tables import opened_with

VIEWS, SOURCES = sandbox_rows("page_views", TODAY)[0], sandbox_rows("traffic_sources", TODAY)[0]
UNKEYED = {**VIEWS, "id": None}
NO_KEY = "`$.id`: missing primary key"
COLUMNS = (
    'resource varchar, rejected_at timestamptz, "offset" bigint, reason varchar, "row" varchar, '
    "_dlt_load_id varchar, _dlt_id varchar, api varchar"
)


def rejected_rows(warehouse: Warehouse, *rows: tuple[str, str, Any]) -> None:
    """Reject some rows: each a resource, a reason and the row."""
    values = [
        f"('{resource}', '2025-07-0{number} 01:00:00Z', 0, '{reason}', '{json.dumps(row)}', "
        f"'{number}', '{number}', 'analytics')"
        for number, (resource, reason, row) in enumerate(rows, 1)
    ]
    with opened_with(warehouse, rejected_rows=(COLUMNS, ", ".join(values))):
        pass


@pytest.fixture
def three(duckdb_warehouse: Warehouse) -> Warehouse:
    """A warehouse with two rejected page views, the first fits, and a traffic source."""
    rejected_rows(
        duckdb_warehouse,
        ("page_views", "too [b] long", VIEWS),
        ("page_views", NO_KEY, UNKEYED),
        ("traffic_sources", "too [b] long", SOURCES),
    )
    return duckdb_warehouse


def left(warehouse: Warehouse) -> list[tuple[str, str]]:
    """Return the resources and reasons of the rows that are still rejected."""
    found = table_values(warehouse.pipeline("test_reader"), "rejected_rows", "offset")
    return sorted((row["resource"], row["reason"]) for row in found)


def cells(output: str) -> list[list[str]]:
    """Return the cells of the table."""
    lines = [line.strip() for line in output.splitlines() if line.strip().startswith("analytics/")]
    return [re.split(r"  +", line) for line in lines]


def check_result() -> dg.AssetCheckEvaluation:
    """Return the last result of the check of the page views."""
    key = dg.AssetCheckKey(dg.AssetKey(["analytics", "page_views"]), "no_rejected_rows")
    with open_instance() as instance:
        record = instance.get_latest_asset_check_evaluation_record(key)
    assert record
    assert isinstance(record.evaluation, dg.AssetCheckEvaluation)
    return record.evaluation


def test_rows_are_listed_by_reason_with_an_example_of_a_key(
    invoke: Invoke, connected: Sandbox, three: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    done = invoke("rejected")

    assert done.exit_code == 0, done.output
    third, first, second = cells(done.stdout)
    at = "2025-07-0{} 01:00"
    assert first == [
        *("analytics/page_views", NO_KEY, "1", at.format(2), at.format(2), "none"),
    ]
    assert second[1] == "too [b] long"
    assert second[-1] == f"id={VIEWS['id']}"
    assert third[0] == "analytics/traffic_sources"
    assert VIEWS["page"] not in done.stdout
    assert connected.requests == []
    assert len(left(three)) == 3


def test_rows_are_shown_on_request_alone(invoke: Invoke, three: Warehouse) -> None:
    done = invoke("rejected", "analytics/page_views", "--rows", "--reason", "TOO [b]")

    assert f"analytics/page_views: too [b] long: {json.dumps(VIEWS)}" in done.stdout
    assert len(cells(done.stdout)) == 2  # one of the table, and the row
    assert "traffic_sources" not in done.stdout


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ([], "No row is rejected."),
        (["--reason", "x"], "No row is rejected with 'x' in its reason."),
        (["--dismiss"], "No row is rejected."),
    ],
)
@pytest.mark.usefixtures("duckdb_warehouse")
def test_a_warehouse_without_rejected_rows_says_so(
    invoke: Invoke, options: list[str], text: str
) -> None:
    done = invoke("rejected", *options)

    assert (done.exit_code, done.stdout.strip()) == (0, text)


def test_rows_that_fit_are_loaded_without_a_request_and_the_others_are_named(
    invoke: Invoke, connected: Sandbox, three: Warehouse
) -> None:
    done = invoke("rejected", "--retry", "page_views")

    assert done.exit_code == 1, done.output
    assert done.stdout.splitlines() == [
        "analytics/page_views: 1 row loaded, 0 superseded by later rows of their key",
        f"analytics/page_views: 1 row still rejected: {NO_KEY}",
    ]
    assert [row["id"] for row in table_rows(three, "page_views")] == [VIEWS["id"]]
    assert left(three) == [("page_views", NO_KEY), ("traffic_sources", "too [b] long")]
    assert connected.requests == []
    assert check_result().passed is False
    with open_instance() as instance:
        observed = instance.fetch_observations(dg.AssetKey(["analytics", "page_views"]), limit=2)
    [record] = observed.records
    assert record.asset_observation
    metadata = record.asset_observation.metadata
    assert {name: value.value for name, value in metadata.items()} == {
        "loaded": 1,
        "superseded": 0,
        "still_rejected": 1,
    }


def test_a_retry_after_which_no_row_is_left_succeeds(invoke: Invoke, three: Warehouse) -> None:
    done = invoke("rejected", "--retry", "--reason", "too [b]")

    assert done.exit_code == 0, done.output
    assert left(three) == [("page_views", NO_KEY)]
    again = invoke("rejected", "--retry", "traffic_sources")
    assert again.stdout.splitlines() == ["analytics/traffic_sources: no row is rejected"]


def test_dismissed_rows_are_forgotten_once_that_is_confirmed(
    invoke: Invoke, three: Warehouse
) -> None:
    refused = invoke("rejected", "page_views", "--dismiss")
    assert refused.exit_code == 1
    assert "Nothing was dismissed, as nobody confirmed it." in refused.stderr
    assert "`--yes`" in refused.stderr
    assert len(left(three)) == 3

    done = CliRunner().invoke(main, ["rejected", "page_views", "--dismiss"], input="y\n")

    assert done.exit_code == 0, done.output
    assert "Forget 2 rows for good? [y/N]: y" in done.stdout
    assert "analytics/page_views: 2 rows dismissed" in done.stdout
    assert left(three) == [("traffic_sources", "too [b] long")]
    assert check_result().passed


def test_a_row_that_is_rejected_before_the_confirmation_is_not_dismissed(
    three: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def confirm(question: str, **_: Any) -> bool:
        one_more = (
            "SELECT * REPLACE ('late' AS _dlt_id, 'came late' AS reason) FROM {table} LIMIT 1"
        )
        change(three, "rejected_rows", f"INSERT INTO {{table}} {one_more}")
        return "3 rows" in question

    monkeypatch.setattr(click, "confirm", confirm)

    done = CliRunner().invoke(main, ["rejected", "--dismiss"])

    assert done.exit_code == 0, done.output
    assert left(three) == [("page_views", "came late")]


def test_rows_with_some_reason_are_dismissed_without_a_terminal(
    invoke: Invoke, three: Warehouse
) -> None:
    done = invoke("rejected", "--dismiss", "--yes", "--reason", "too [b] long")

    assert done.exit_code == 0, done.output
    assert left(three) == [("page_views", NO_KEY)]


def test_a_resource_that_cannot_be_retried_is_one_sentence_and_the_others_are_loaded(
    invoke: Invoke, api_file: Path, three: Warehouse
) -> None:
    text = api_file.read_text().replace(
        '"name": "page_views",', '"name": "page_views", "write_disposition": "replace",'
    )
    api_file.write_text(text)

    done = invoke("rejected", "--retry")

    assert done.exit_code == 1, done.output
    assert "analytics/page_views: its rejected rows cannot be loaded by themselves" in done.stdout
    assert "analytics/traffic_sources: 1 row loaded" in done.stdout
    assert len(left(three)) == 2


def test_a_retry_is_no_dismissal(invoke: Invoke) -> None:
    done = invoke("rejected", "--retry", "--dismiss")

    assert done.exit_code == 2
    assert "exclude each other" in done.stderr
