"""The newest rows of a table, as the asset's page shows them."""

import json
from typing import Any

import dagster as dg

from analytics_assets.contract.resource import Resource, resource_of
from analytics_assets.orchestration.metadata.preview import LONGEST, MOST_COLUMNS, preview
from analytics_assets.redaction.redactor import redact
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.orders import orders_api
from analytics_assets_tests.support.tables import opened_with

COLUMNS = "id bigint, day date, email varchar, _dlt_load_id varchar"
ROWS = "(1, '2025-07-30', 'a@b', '1'), (2, '2025-07-31', 'c@d', '1'), (3, NULL, 'e@f', '2')"


def orders(**policy: Any) -> Resource:
    return resource_of(orders_api(**{"date_column": "day", **policy}), "orders")


def records(table: dg.TableMetadataValue | None) -> list[dict[str, Any]]:
    assert table is not None
    return [dict(record.data) for record in table.records]


def test_the_newest_rows_come_first_without_columns_of_dlt(warehouse: Warehouse) -> None:
    with opened_with(warehouse, orders=(COLUMNS, ROWS)) as tables:
        found = records(preview(tables, orders(preview=2), embedded=False))

    assert found == [
        {"id": 2, "day": "2025-07-31", "email": "c@d"},
        {"id": 1, "day": "2025-07-30", "email": "a@b"},
    ]


def test_without_a_date_the_rows_of_the_last_load_are_the_newest(warehouse: Warehouse) -> None:
    with opened_with(warehouse, orders=(COLUMNS, ROWS)) as tables:
        found = records(preview(tables, orders(preview=1, date_column=None), embedded=False))

    assert [row["id"] for row in found] == [3]


def test_rows_are_shown_on_request_and_those_of_the_embedded_api_unless_refused(
    duckdb_warehouse: Warehouse,
) -> None:
    with opened_with(duckdb_warehouse, orders=(COLUMNS, ROWS)) as tables:
        assert preview(tables, orders(), embedded=False) is None
        assert len(records(preview(tables, orders(), embedded=True))) == 2
        assert preview(tables, orders(preview=0), embedded=True) is None


def test_a_sensitive_column_is_left_out_and_so_is_its_field_in_objects(
    warehouse: Warehouse,
) -> None:
    columns = "id bigint, email varchar, person__email varchar, person json, _dlt_load_id varchar"
    person = '{"name": "Ada", "email": "a@b", "mails": [{"email": "a@b", "at": 1}]}'
    hides = orders(preview=5, date_column=None, sensitive=["email"])

    with opened_with(warehouse, orders=(columns, f"(1, 'a@b', 'a@b', '{person}', '1')")) as tables:
        [row] = records(preview(tables, hides, embedded=False))

    assert "a@b" not in str(row)
    assert row["id"] == 1
    assert row.keys() == {"id", "person"}
    assert str(row["person"]).startswith('{"name": "Ada", "mails": [{"at": 1}')


def test_a_long_value_is_cut_and_a_secret_is_none(duckdb_warehouse: Warehouse) -> None:
    redact.add("a-very-secret-value")
    row = f"(1, '{'x' * 100}', 'key a-very-secret-value', '1')"
    with opened_with(
        duckdb_warehouse, orders=("id bigint, a varchar, b varchar, _dlt_load_id varchar", row)
    ) as tables:
        [found] = records(preview(tables, orders(preview=1, date_column=None), embedded=False))

    assert found["a"] == "x" * (LONGEST - 1) + "…"
    assert found["b"] == "key ***"


def test_a_wide_table_shows_its_first_columns(duckdb_warehouse: Warehouse) -> None:
    names = [f"c{number}" for number in range(MOST_COLUMNS + 3)]
    columns = ", ".join(f"{name} bigint" for name in names)
    row = ", ".join("1" for _ in names)
    with opened_with(
        duckdb_warehouse, orders=(f"{columns}, _dlt_load_id varchar", f"({row}, '1')")
    ) as tables:
        [found] = records(preview(tables, orders(preview=1, date_column=None), embedded=False))

    assert list(found) == names[:MOST_COLUMNS]


def test_a_time_is_shown_in_utc(warehouse: Warehouse) -> None:
    columns = "moment timestamp with time zone, _dlt_load_id varchar"
    with opened_with(warehouse, orders=(columns, "('2025-07-31T08:05:00+02:00', '1')")) as tables:
        [found] = records(preview(tables, orders(preview=1, date_column="moment"), embedded=False))

    assert found == {"moment": "2025-07-31 06:05:00"}


def test_numbers_that_json_does_not_have_are_texts(warehouse: Warehouse) -> None:
    columns = "id bigint, share double precision, most double precision, _dlt_load_id varchar"
    row = "(9007199254740993, 'NaN', '-Infinity', '1')"
    with opened_with(warehouse, orders=(columns, row)) as tables:
        [found] = records(preview(tables, orders(preview=1, date_column=None), embedded=False))

    assert found == {"id": "9007199254740993", "share": "nan", "most": "-inf"}
    json.dumps(found, allow_nan=False)


def test_times_at_the_ends_of_the_calendar_are_shown(duckdb_warehouse: Warehouse) -> None:
    columns = "a timestamptz, b timestamptz, c date, _dlt_load_id varchar"
    row = "('0001-01-01T00:00:00Z', '20000-01-01T00:00:00Z', 'infinity', '1')"
    with opened_with(duckdb_warehouse, orders=(columns, row)) as tables:
        [found] = records(preview(tables, orders(preview=1, date_column=None), embedded=False))

    assert found == {"a": "0001-01-01 00:00:00", "b": "20000-01-01 00:00:00+00", "c": "9999-12-31"}
