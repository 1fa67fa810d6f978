"""Queries on primary keys: of the whole table, or of the rows that a load wrote."""

import pytest

from analytics_assets.warehouse.queries.keys import duplicated_keys, rows_without_key
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.tables import opened_with

COLUMNS = "a bigint, b varchar, _dlt_load_id varchar"
ROWS = """
(1, 'x', 'old'), (1, 'x', 'new'), (2, 'x', 'new'), (2, 'y', 'old'), (NULL, 'z', 'new'),
(3, 'x', 'old'), (3, 'x', 'old'), (4, NULL, 'old'), (5, 'x', 'newer'), (5, 'x', 'newer')
"""


@pytest.mark.parametrize(
    ("loads", "nulls", "duplicates"),
    [
        ((), 2, 3),
        (["new"], 1, 1),
        (["newer"], 0, 1),
        (["new", "newer"], 1, 2),
        (["old"], 1, 2),
        (["another"], 0, 0),
    ],
)
def test_keys_are_those_of_all_rows_or_those_that_a_load_wrote(
    warehouse: Warehouse, loads: list[str], nulls: int, duplicates: int
) -> None:
    with opened_with(warehouse, keys=(COLUMNS, ROWS)) as tables:
        assert rows_without_key(tables, "keys", ["a", "b"], loads) == nulls
        assert duplicated_keys(tables, "keys", ["a", "b"], loads) == duplicates
