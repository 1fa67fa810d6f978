"""Values of a table after its contract, its entry or its rows have changed their types."""

from typing import Any

import pytest

from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.loading import change
from analytics_assets_tests.warehouse.evolution.changed import (
    KEYED,
    load,
    refusal_of,
    stored,
    typed,
    types,
)

BEFORE = {"price": "bigint", "zip": "bigint", "paid": "bool", "day": "date"}
AFTER = {"price": "double", "zip": "text", "paid": "text", "day": "timestamp"}
FIRST = {"id": 1, "price": 5, "zip": 1234, "paid": True, "day": "2026-01-01"}
SECOND = {"id": 2, "price": 5.5, "zip": "01234", "paid": "yes", "day": "2026-01-01T23:30:00Z"}
WIDENED = [
    (5.0, "1234", "true", "2026-01-01T00:00:00Z"),
    (5.5, "01234", "yes", "2026-01-01T23:30:00Z"),
]


def test_columns_take_over_the_wider_types_of_a_changed_contract(warehouse: Warehouse) -> None:
    load(warehouse, [FIRST], typed(**BEFORE))
    changed = load(warehouse, [SECOND], typed(**AFTER))

    assert stored(warehouse, *AFTER) == WIDENED
    assert types(warehouse, *AFTER) == list(AFTER.values())
    assert changed.widened == {
        "price": "bigint to double",
        "zip": "bigint to text",
        "paid": "bool to text",
        "day": "date to timestamp",
    }
    assert changed.kept == {}
    assert load(warehouse, [SECOND], typed(**AFTER)).widened == {}


def test_rows_that_dlt_writes_one_by_one_are_stored_the_same(warehouse: Warehouse) -> None:
    load(warehouse, [{**FIRST, "more": 1}], typed(**BEFORE))
    load(warehouse, [{**SECOND, "more": 1}], typed(**AFTER))

    assert stored(warehouse, *AFTER) == WIDENED


def test_columns_take_over_the_wider_types_of_a_changed_entry(warehouse: Warehouse) -> None:
    before, after = (
        {"columns": {name: {"data_type": kind} for name, kind in kinds.items()}}
        for kinds in (BEFORE, AFTER)
    )
    load(warehouse, [FIRST], entry=before)
    load(warehouse, [SECOND], entry=after)

    assert stored(warehouse, *AFTER) == WIDENED


def test_columns_that_dlt_inferred_take_over_the_wider_types_of_a_first_contract(
    warehouse: Warehouse,
) -> None:
    load(warehouse, [{"id": 1, "price": 12}])
    load(warehouse, [{"id": 2, "price": 12.5}], typed(price="double"))

    assert stored(warehouse, "price") == [12.0, 12.5]


def test_columns_that_dlt_inferred_keep_other_values_beside(warehouse: Warehouse) -> None:
    load(warehouse, [{"id": 1, "price": 12}])
    load(warehouse, [{"id": 2, "price": 12.5}])
    load(warehouse, [{"id": 1, "price": 12}, {"id": 3, "price": 13.5}], typed(price="double"))

    assert stored(warehouse, "price", "price__v_double") == [
        (12.0, None),
        (None, 12.5),
        (13.5, None),
    ]


def test_integers_that_a_double_would_round_stay_and_new_values_are_beside(
    warehouse: Warehouse,
) -> None:
    load(warehouse, [{"id": 1, "n": 2**53 + 1}], typed(n="bigint"))
    changed = load(warehouse, [{"id": 2, "n": 5.5}, {"id": 3, "n": 7}], typed(n="double"))

    assert stored(warehouse, "n", "n__v_double") == [(2**53 + 1, None), (None, 5.5), (7, None)]
    assert changed.kept == {
        "n": "stays bigint; values of double that do not fit are in n__v_double"
    }
    load(warehouse, [{"id": 4, "n": 8.5}], typed(n="double"))
    assert stored(warehouse, "n__v_double") == [None, 5.5, None, 8.5]


# a stored type and value, another type and value, and the second value in that column or beside
NARROWER: list[tuple[str, Any, str, Any, Any, str | None]] = [
    ("text", "a", "bigint", 5, "5", None),
    ("text", "a", "double", 5.5, "5.5", None),
    ("text", "a", "double", 5.0, "5", None),
    ("text", "a", "bool", True, "true", None),
    ("text", "a", "date", "2026-01-01", "2026-01-01", None),
    ("text", "a", "timestamp", "2026-01-01T23:30:00Z", "2026-01-01T23:30:00Z", None),
    ("timestamp", "2026-01-01T23:30:00Z", "date", "2026-01-02", "2026-01-02T00:00:00Z", None),
    ("double", 5.5, "bigint", 7, 7.0, None),
    ("double", 5.5, "bigint", 2**53 + 1, 2**53 + 1, "bigint"),
    ("bigint", 5, "bool", True, True, "bool"),
    ("bool", True, "bigint", 7, 7, "bigint"),
    ("bool", True, "double", 5.5, 5.5, "double"),
    ("date", "2026-01-01", "bigint", 20260101, 20260101, "bigint"),
    ("json", {"a": 1}, "double", 5.5, 5.5, None),
    ("json", {"a": 1}, "text", "a", "a", None),
    ("json", {"a": 1}, "text", "5", "5", None),
    ("json", {"a": 1}, "bool", True, True, None),
]


def test_no_value_of_a_narrower_type_is_altered_or_lost(warehouse: Warehouse) -> None:
    names = [f"c{number}" for number in range(len(NARROWER))]
    cases = dict(zip(names, NARROWER, strict=True))
    before = {name: case[0] for name, case in cases.items()}
    after = {name: case[2] for name, case in cases.items()}
    load(warehouse, [{"id": 1, **{name: cases[name][1] for name in names}}], typed(**before))
    load(warehouse, [{"id": 2, **{name: cases[name][3] for name in names}}], typed(**after))

    for name, (_, first, _, _, expected, beside) in cases.items():
        assert stored(warehouse, name) == [first, None if beside else expected], cases[name]
        if beside:
            assert stored(warehouse, f"{name}__v_{beside}") == [None, expected]
    assert types(warehouse, *names) == list(before.values())


@pytest.mark.parametrize(("before", "after"), [("bigint", "text"), ("text", "bigint")])
def test_a_key_that_becomes_a_text_overwrites_no_other_row(
    warehouse: Warehouse, before: str, after: str
) -> None:
    rows: Any = {"bigint": [{"id": 1, "n": 1}, {"id": 2, "n": 2}], "text": [{"id": "02", "n": 3}]}
    load(warehouse, rows[before], typed(key=before, n="bigint"))
    load(warehouse, rows[after], typed(key=after, n="bigint"))

    assert stored(warehouse, "id", "n") == [("02", 3), ("1", 1), ("2", 2)]


def test_a_key_whose_values_would_be_beside_is_refused(warehouse: Warehouse) -> None:
    load(warehouse, [{"id": 1, "n": 1}], typed(n="bigint"))

    assert refusal_of(warehouse, [{"id": True, "n": 2}], typed(key="bool", n="bigint")) == (
        "orders: its column `id` is stored as bigint, in which values of bool could overwrite the "
        "rows of others, and it cannot be widened to that type. Nothing was changed. Keep the "
        'stored type by "columns": {"id": {"data_type": "bigint"}} in the entry, or widen it by '
        '"text" in that place, or load into another table (`table_name`).'
    )
    assert stored(warehouse, "id", "n") == [(1, 1)]


def test_a_key_that_only_the_table_types_keeps_its_type(warehouse: Warehouse) -> None:
    load(warehouse, [{"id": 2, "n": 1}], KEYED)
    load(warehouse, [{"id": "02", "n": 2}, {"id": 3, "n": 3}], KEYED)

    assert stored(warehouse, "id", "n") == [(2, 1), (3, 3)]
    assert [reason for (reason,) in rejections(warehouse)] == [
        "`$.id`: Expected `number` as in the table, got `string`; its column holds both with "
        '"columns": {"id": {"data_type": "text"}}'
    ]
    load(warehouse, [{"id": "02", "n": 2}], KEYED, {"columns": {"id": {"data_type": "text"}}})
    assert stored(warehouse, "id", "n") == [("02", 2), ("2", 1), ("3", 3)]


def rejections(warehouse: Warehouse) -> list[Any]:
    with warehouse.pipeline("test_reader").sql_client() as client:
        return list(client.execute_sql("SELECT reason FROM rejected_rows") or ())


def test_a_column_whose_type_was_changed_by_hand_keeps_it(warehouse: Warehouse) -> None:
    load(warehouse, [{"id": 1, "n": 5}], KEYED)
    change(warehouse, "orders", "ALTER TABLE {table} ALTER COLUMN n TYPE text")
    load(warehouse, [{"id": 2, "n": 7}], KEYED)

    assert stored(warehouse, "n") == ["5", "7"]


def test_a_column_that_others_depend_on_is_not_widened_before_they_are_dropped(
    warehouse: Warehouse,
) -> None:
    load(warehouse, [{"id": 1, "n": 5}], typed(n="bigint"))
    statement, dropped, named = {
        "duckdb": ("CREATE INDEX x ON {table}(n)", "DROP INDEX analytics.x", "the index x"),
        "postgres": (
            "CREATE VIEW analytics.x AS SELECT n FROM {table}",
            "DROP VIEW analytics.x",
            "the view analytics.x",
        ),
    }[warehouse.destination_type]
    change(warehouse, "orders", statement)

    assert refusal_of(warehouse, [{"id": 2, "n": 5.5}], typed(n="double")) == (
        f"orders: its column `n` cannot be widened from bigint to double, as {named} depend on it. "
        "Nothing was changed. Drop them, load again, and create them anew."
    )
    change(warehouse, "orders", dropped)
    load(warehouse, [{"id": 2, "n": 5.5}], typed(n="double"))
    assert stored(warehouse, "n") == [5.0, 5.5]


def test_a_load_after_a_failed_one_widens_the_column(warehouse: Warehouse) -> None:
    load(warehouse, [{"id": 1, "n": 5, "m": 1}], typed(n="bigint", m="bigint"))
    change(warehouse, "orders", "ALTER TABLE {table} ALTER COLUMN m SET NOT NULL")
    refusal_of(warehouse, [{"id": 2, "n": 5.5}], typed(n="double", m="bigint"))
    assert types(warehouse, "n") == ["bigint"]
    load(warehouse, [{"id": 2, "n": 6, "m": 2}], typed(m="bigint"))
    assert types(warehouse, "n") == ["bigint"]
    load(warehouse, [{"id": 3, "n": 6.5, "m": 2}], typed(n="double", m="bigint"))

    assert stored(warehouse, "n") == [5.0, 6.0, 6.5]


def test_times_without_a_time_zone_are_those_of_utc(warehouse: Warehouse) -> None:
    local: Any = {"data_type": "timestamp", "timezone": False}
    texts: Any = {"columns": {"at": {"data_type": "text"}, "day": {"data_type": "text"}}}
    rows = [{"id": 1, "at": "2026-01-01T23:30:00.5Z", "day": "2026-01-01"}]
    load(warehouse, rows, entry={"columns": {"at": local, "day": {"data_type": "date"}}})
    load(warehouse, [{"id": 2}], entry={"columns": {"at": local, "day": local}})
    assert stored(warehouse, "day") == ["2026-01-01T00:00:00Z", None]
    load(warehouse, [{"id": 2}], entry=texts)

    assert stored(warehouse, "at", "day") == [
        ("2026-01-01T23:30:00.5Z", "2026-01-01T00:00:00Z"),
        (None, None),
    ]


def test_a_column_without_time_zone_made_by_hand_has_the_time_in_utc(warehouse: Warehouse) -> None:
    load(warehouse, [{"id": 1}], typed())
    change(warehouse, "orders", "ALTER TABLE {table} ADD COLUMN moment timestamp")
    load(warehouse, [{"id": 1, "moment": "2026-01-01T12:00:00+02:00"}], typed(moment="timestamp"))
    assert stored(warehouse, "moment") == ["2026-01-01T10:00:00Z"]
