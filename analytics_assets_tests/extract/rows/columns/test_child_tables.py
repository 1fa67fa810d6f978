"""Child tables of typed pages, merged in each warehouse."""

from typing import Any

import pytest

from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.extract.rows.reading import MERGED, load, metrics_of
from analytics_assets_tests.support.loading import table_values
from analytics_assets_tests.support.paged_server import orders, paged

Row = dict[str, Any]


def order(number: int, *amounts: float, **fields: Any) -> Row:
    lines = [{"amount": amount, "of": {"tags": [str(amount)]}} for amount in amounts]
    return {"id": number, "lines": lines, **fields}


def children(pipeline: Any, table: str, column: str) -> list[tuple[Any, ...]]:
    """The rows of a child table, each with the order that it belongs to."""
    with pipeline.sql_client() as client:
        names = [client.make_qualified_table_name(name) for name in (table, "orders")]
        sql = (
            f"SELECT o.id, c._dlt_list_idx, c.{column} FROM {names[0]} c "
            f"JOIN {names[1]} o ON o._dlt_id = c._dlt_root_id ORDER BY 1, 2, 3"
        )
        return [tuple(row) for row in client.execute_sql(sql) or ()]


@pytest.mark.merge
@pytest.mark.usefixtures("warehouse")
def test_a_merge_replaces_the_child_rows_of_its_rows_and_of_no_other() -> None:
    entry = orders(MERGED)
    load(paged([order(1, 0.5, 1.5), order(2, 2.5), order(3), order(4, 4.5)]), entry)

    pipeline = load(paged([order(1, 9.5), order(2), order(5, 5.5)]), entry)

    assert [row["id"] for row in table_values(pipeline, "orders")] == [1, 2, 3, 4, 5]
    found = children(pipeline, "orders__lines", "amount")
    assert found == [(1, 0, 9.5), (4, 0, 4.5), (5, 0, 5.5)]
    tags = children(pipeline, "orders__lines__of__tags", "value")
    assert tags == [(1, 0, "9.5"), (4, 0, "4.5"), (5, 0, "5.5")]
    assert metrics_of(pipeline)["pages_by_dlt"] == 0


@pytest.mark.merge
def test_a_replaced_table_has_the_child_rows_of_its_last_load_alone(warehouse: Warehouse) -> None:
    entry = orders({"write_disposition": "replace"})
    load(paged([order(1, 0.5), order(2, 2.5)]), entry)

    load(paged([order(3, 3.5, 4.5)]), entry)

    with warehouse.pipeline("test").sql_client() as client:
        name = client.make_qualified_table_name("orders__lines")
        amounts = client.execute_sql(f"SELECT amount FROM {name} ORDER BY 1")
    assert [row[0] for row in amounts or ()] == [3.5, 4.5]
