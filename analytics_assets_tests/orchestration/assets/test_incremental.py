"""A resource whose policy says `Incremental`: from load to load the table is what the API has."""

import json
import shutil
from datetime import timedelta
from typing import Any

import dagster as dg
import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.load import Full, Incremental
from analytics_assets.defs.analytics.api import API
from analytics_assets.sandbox import sandbox_rows
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import TODAY
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.loading import api_rows, check_of, load, metadata_of, table_rows
from analytics_assets_tests.support.partitioned import api_by_day, api_of, days_of, load_days
from analytics_assets_tests.support.sandbox import Sandbox

USERS = "daily_active_users"
PATH = f"/v1/{USERS}"
DAY = timedelta(days=1)
WHAT_IS_NEW = API.resources[USERS].policy.load


def asked(sandbox: Sandbox) -> list[str | None]:
    """From when on the API was asked for rows, request by request."""
    return [each.query.get("updated_since") for each in sandbox.requests if each.path == PATH]


def is_as_the_api(warehouse: Warehouse, sandbox: Sandbox) -> bool:
    return table_rows(warehouse, USERS) == api_rows(sandbox_rows(USERS, sandbox.today))


def test_from_day_to_day_the_table_is_what_the_api_has_though_little_of_it_is_read(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    received = []
    for days in (0, 1, 9):
        connected.today = TODAY + days * DAY
        result = load(instance, USERS)
        assert result.success
        assert is_as_the_api(warehouse, connected)
        received.append(metadata_of(result, USERS)["rows_received"])
    assert received[0] == len(sandbox_rows(USERS, TODAY))
    # six rows a day: a lookback of three days, and four days that were restated since
    assert received[1:] == [48, 90]


def test_a_materialization_says_where_the_read_began_and_how_far_the_cursor_came(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    first = metadata_of(load(instance, USERS), USERS)
    connected.today = TODAY + DAY
    result = load(instance, USERS)
    second = metadata_of(result, USERS)

    assert [first[f"cursor_{part}"] for part in ("before", "start", "after")] == [
        "none",
        "2025-01-01T00:00:00Z",
        "2025-08-01T00:00:00+00:00",
    ]
    assert [second[f"cursor_{part}"] for part in ("before", "start", "after", "lookback")] == [
        "2025-08-01T00:00:00+00:00",
        "2025-07-29T00:00:00Z",
        "2025-08-02T00:00:00+00:00",
        "3 days, 0:00:00",
    ]
    assert second["rows_expected"] == second["rows_received"] == second["rows_of_load"] == 48
    assert second["dagster/row_count"] == len(sandbox_rows(USERS, connected.today))
    read, cursor = check_of(result, "complete_read"), check_of(result, "cursor")
    assert read.passed
    told = "48 rows arrived of 48. Requested were changes since 2025-07-29T00:00:00Z."
    assert told in str(read.description)
    assert cursor.passed
    assert "from 2025-08-01T00:00:00+00:00 to 2025-08-02" in str(cursor.description)


def test_a_new_machine_with_an_empty_disk_goes_on_where_the_old_one_was(
    connected: Sandbox, warehouse: Warehouse
) -> None:
    for days in (0, 1):
        connected.today = TODAY + days * DAY
        with dg.DagsterInstance.ephemeral() as without_history:
            assert load(without_history, USERS).success
        shutil.rmtree(warehouse.pipelines_dir)

    assert asked(connected)[-1] == "2025-07-29T00:00:00Z"
    assert is_as_the_api(warehouse, connected)


def test_a_table_may_be_loaded_in_one_way_after_the_other_without_losing_a_row(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    began: list[Any] = []
    by_days = api_by_day(USERS)
    ways = (Full(), WHAT_IS_NEW, by_days, WHAT_IS_NEW, Full(), WHAT_IS_NEW)
    for days, way in enumerate(ways):
        connected.today = TODAY + 5 * days * DAY
        before = len(asked(connected))
        if isinstance(way, Api):
            # a part of the days only: what they do not have, the kept cursor still asks for
            due = days_of(by_days, connected.today)[-2:]
            assert load_days(instance, by_days, *due).success
        else:
            assert load(instance, USERS, api=api_of(USERS, way)).success
            assert is_as_the_api(warehouse, connected)
        began.append(asked(connected)[before])

    assert began == [
        None,
        "2025-01-01T00:00:00Z",  # what was loaded in full is read again from `initial_value` on
        None,
        "2025-08-03T00:00:00Z",
        None,
        "2025-08-13T00:00:00Z",
    ]


def test_a_load_that_failed_in_the_warehouse_is_made_good_by_the_next_one(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    load(instance, USERS)
    connected.today = TODAY + 9 * DAY
    rename(warehouse, USERS, "moved")
    assert not load(instance, USERS).success
    rename(warehouse, "moved", USERS)
    connected.today += DAY

    assert load(instance, USERS).success
    assert is_as_the_api(warehouse, connected)


def rename(warehouse: Warehouse, table: str, name: str) -> None:
    with warehouse.pipeline("test_reader").sql_client() as client:
        qualified = client.make_qualified_table_name(table)
        client.execute_sql(f"ALTER TABLE {qualified} RENAME TO {name}")


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"updated_at": None}, "1 rows have no time of change in `updated_at`"),
        ({"updated_at": "2024-12-31T00:00:00Z"}, "1 rows changed before 2025-01-01T00:00:00Z"),
        ({"updated_at": "2999-01-01T00:00:00Z"}, "1 rows have a time of change in the future"),
    ],
)
def test_a_row_by_which_no_later_load_can_tell_what_is_new_is_loaded_and_told_of(
    connected: Sandbox,
    warehouse: Warehouse,
    instance: dg.DagsterInstance,
    row: dict[str, Any],
    told: str,
) -> None:
    rows = [{**sandbox_rows(USERS, TODAY)[0], **row}, *sandbox_rows(USERS, TODAY)[1:3]]
    body = json.dumps({"data": rows, "total": len(rows)})
    connected.faults.add(Fault(path=PATH, times=None, body=body))
    api = api_without_contract()

    result = load(instance, USERS, api=api)

    assert len(table_rows(Warehouse.from_settings(), USERS)) == 3
    check = check_of(result, "cursor")
    assert not check.passed
    assert check.severity is dg.AssetCheckSeverity.WARN
    assert told in str(check.description)


def api_without_contract() -> Api:
    entry = {
        **API.resources[USERS].entry,
        "endpoint": {**API.resources[USERS].endpoint, "paginator": "single_page"},
    }
    config = {**API.config, "resources": [entry]}
    return Api(name=API.name, config=config, policies={USERS: API.policies[USERS]})


def test_a_resource_that_is_loaded_in_full_has_no_check_of_a_cursor(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    result = load(instance, "page_views")

    assert "cursor" not in {each.check_name for each in result.get_asset_check_evaluations()}
    assert not [name for name in metadata_of(result, "page_views") if name.startswith("cursor")]


def test_the_one_in_api_py_is_incremental_by_the_parameter_that_the_api_knows() -> None:
    assert isinstance(WHAT_IS_NEW, Incremental)
    assert WHAT_IS_NEW.lookback == 3 * DAY
