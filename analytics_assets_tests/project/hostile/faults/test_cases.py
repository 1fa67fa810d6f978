"""A load under a fault is complete, or it fails, leaves the table, and the next one is complete.

Quick: each case once, at the lowest layer that the fault can reach: values and tables up to DuckDB,
all others up to the rows that the source yields; one of each kind through a Dagster run. In `e2e`:
each case with 16 requests in flight into PostgreSQL, and one after the other into DuckDB with a
contract.
"""

import threading
from collections.abc import Sequence
from pathlib import Path

import dagster as dg
import pytest

from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.project.hostile.faults.case import Case, rows_before
from analytics_assets_tests.project.hostile.faults.cases import TABLES, tables, values
from analytics_assets_tests.project.hostile.faults.machine.kills import KILLS
from analytics_assets_tests.project.hostile.faults.targets import Asset, Memory, Table
from analytics_assets_tests.project.hostile.faults.trial import Target, judge, try_case

IN_FLIGHT = 16  # requests
OF_TABLES = [*values.CASES, *tables.CASES]
OF_THE_API = [case for cases in TABLES.values() for case in cases if case not in OF_TABLES]
ALL = [*OF_THE_API, *OF_TABLES]
NAMES = [*(case.name for cases in TABLES.values() for case in cases), *(k.name for k in KILLS)]
README = Path(__file__).with_name("README.md")
OF_EACH_KIND = {
    "500 for ever",
    "401 once in the middle",
    "reset in the body, once",
    "Content-Length too long, for ever",
    "client refused",
    "error object under 200, for ever",
    "empty page before the total, for ever",
    "row deleted between pages, once",
    "NaN",
    "503 for ever in the first load",
}


def each(cases: Sequence[Case]) -> pytest.MarkDecorator:
    """Run a test with each case; those that take long are marked `e2e`."""
    return pytest.mark.parametrize(
        "case",
        [
            pytest.param(case, id=case.name, marks=[pytest.mark.e2e] if case.slow else [])
            for case in cases
        ],
    )


@pytest.fixture(autouse=True)
def reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READING__MAX_IN_FLIGHT", "1")
    monkeypatch.setenv("READING__ADAPTIVE", "false")


@pytest.fixture
def warehouse_before(request: pytest.FixtureRequest, case: Case) -> Warehouse:
    """The warehouse before the case: empty, or with the load before."""
    holding = "warehouse" if case.first else "loaded_before"
    chosen: Warehouse = request.getfixturevalue(f"duckdb_{holding}")
    return chosen


@pytest.fixture
def postgres_before(request: pytest.FixtureRequest, case: Case) -> Warehouse:
    """The same on PostgreSQL."""
    holding = "warehouse" if case.first else "loaded_before"
    chosen: Warehouse = request.getfixturevalue(f"postgres_{holding}")
    return chosen


def check(case: Case, target: Target) -> None:
    """Try a case and judge its outcome."""
    judge(case, try_case(case, target))
    assert not [each for each in threading.enumerate() if each.name.startswith("decode-pages")]


@each(OF_THE_API)
def test_the_source_yields_all_rows_or_fails_and_yields_none(case: Case) -> None:
    check(case, Memory([] if case.first else rows_before()))


@each(OF_TABLES)
def test_values_are_loaded_as_they_are_or_rejected_or_the_load_fails(
    case: Case, warehouse_before: Warehouse
) -> None:
    check(case, Table(warehouse_before))


@each([case for case in ALL if case.name in OF_EACH_KIND])
def test_a_run_loads_all_rows_or_fails_and_leaves_the_table(
    case: Case, warehouse_before: Warehouse, instance: dg.DagsterInstance
) -> None:
    check(case, Asset(warehouse_before, instance))


@pytest.mark.e2e
@each([case for case in ALL if not case.duckdb_only])
def test_pages_in_flight_are_loaded_into_postgres_or_the_load_fails(
    case: Case, postgres_before: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("READING__MAX_IN_FLIGHT", str(IN_FLIGHT))
    check(case, Table(postgres_before))


@pytest.mark.e2e
@each([case for case in OF_THE_API if not case.duckdb_only])
def test_pages_of_a_contract_in_flight_are_loaded_into_postgres_or_the_load_fails(
    case: Case, postgres_before: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("READING__MAX_IN_FLIGHT", str(IN_FLIGHT))
    check(case, Table(postgres_before, typed=True))


@pytest.mark.e2e
@each(OF_THE_API)
def test_rows_of_a_contract_are_loaded_one_page_after_the_other_or_the_load_fails(
    case: Case, warehouse_before: Warehouse
) -> None:
    check(case, Table(warehouse_before, typed=True))


def test_each_case_is_once_in_the_table_of_faults() -> None:
    lines = README.read_text().splitlines()
    listed = [line.split(" | ")[0].removeprefix("| ") for line in lines if line.startswith("| ")]
    assert [name for name in listed if name in NAMES] == NAMES
    assert set(NAMES) >= OF_EACH_KIND
