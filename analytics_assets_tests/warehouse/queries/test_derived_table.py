"""A table that is made by a SELECT: replaced as a whole, or left as it was."""

import pytest

from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.holding import holding, when_waited_for
from analytics_assets_tests.support.tables import opened_with

TRAFFIC = ("day date, page_views bigint", "('2025-03-01', 3), ('2025-03-01', 4)")
HOLD_TABLE = """
from analytics_assets.warehouse.warehouse import Warehouse
with Warehouse.from_settings("mart").loading("other", table="daily", run="of another instance"):
    hold()
"""


def sum_by_day(warehouse: Warehouse) -> str:
    views = f"CAST(sum(page_views) AS BIGINT) AS page_views FROM {warehouse.qualified('traffic')}"
    return f"SELECT day, {views} GROUP BY day"


def test_a_second_run_gives_the_same_rows(warehouse: Warehouse) -> None:
    with opened_with(warehouse, traffic=TRAFFIC):
        pass
    for _ in range(2):
        assert warehouse.replace_table("daily", sum_by_day(warehouse)) == 1
        found = warehouse.query(f"SELECT page_views FROM {warehouse.qualified('daily')}")
        assert found == [(7,)]


def test_the_dataset_is_made_with_its_first_table(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATASET_NAME", "mart")
    mart = Warehouse.from_settings("mart")
    assert mart.replace_table("daily", "SELECT '100%' AS share") == 1
    assert mart.query("SELECT share FROM mart.daily WHERE share LIKE '100%'") == [("100%",)]


def test_views_of_the_table_stay_and_show_the_new_rows(warehouse: Warehouse) -> None:
    table, view = warehouse.qualified("daily"), warehouse.qualified("shown")
    warehouse.replace_table("daily", "SELECT 1 AS n -- one row")
    with warehouse.pipeline("reader").sql_client() as client:
        client.execute_sql(f"CREATE VIEW {view} AS SELECT n FROM {table}")
    assert warehouse.replace_table("daily", "SELECT 2 AS n -- another\n;") == 1
    assert warehouse.query(f"SELECT n FROM {view}") == [(2,)]


def test_a_select_with_other_columns_makes_them_those_of_the_table(warehouse: Warehouse) -> None:
    table = warehouse.qualified("daily")
    warehouse.replace_table("daily", "SELECT 1 AS n")
    warehouse.replace_table("daily", "SELECT 'a' AS n, 2 AS m")
    assert warehouse.query(f"SELECT n, m FROM {table}") == [("a", 2)]


def test_a_select_that_fails_leaves_the_table_as_it_was(warehouse: Warehouse) -> None:
    warehouse.replace_table("daily", "SELECT 1 AS n")
    with pytest.raises(WarehouseError, match="The warehouse failed: "):
        warehouse.replace_table("daily", "SELECT no_such_column")
    with pytest.raises(WarehouseError, match=r"reads one that is not there: .*Load that table"):
        warehouse.replace_table("daily", "SELECT * FROM no_such_table")
    assert warehouse.query(f"SELECT n FROM {warehouse.qualified('daily')}") == [(1,)]


def test_a_table_with_loaded_rows_is_never_replaced(warehouse: Warehouse) -> None:
    with opened_with(warehouse, daily=("id bigint, _dlt_load_id varchar", "(1, '17')")):
        pass
    with pytest.raises(WarehouseError, match="give the table of the query another name"):
        warehouse.replace_table("daily", "SELECT 2 AS id")
    assert warehouse.query(f"SELECT id FROM {warehouse.qualified('daily')}") == [(1,)]


def test_a_table_that_another_process_writes_is_waited_for(warehouse: Warehouse) -> None:
    with holding(HOLD_TABLE) as process, when_waited_for(process.communicate):
        assert warehouse.replace_table("daily", "SELECT 1 AS n") == 1
