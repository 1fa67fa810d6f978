"""Values that a column's type would alter get a column of their own."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any

import pytest

from analytics_assets.contract.contract import Contract
from analytics_assets_tests.extract.rows.reading import MERGED, load
from analytics_assets_tests.support.loading import table_values
from analytics_assets_tests.support.paged_server import orders, paged

KEYED = Contract("orders", primary_key=("id",))
FIVE, MOMENT = 5, "2025-01-01T00:00:00Z"
# the first value of a column, another one, and the type of that one's own column
ALTERED = [
    (FIVE, "01234", "text"),
    (FIVE, "1_000", "text"),
    (FIVE, "0x1F", "text"),
    (FIVE, "99999999999999999999", "text"),
    (FIVE, "5" * 5000, "text"),
    (FIVE, 1e300, "double"),
    (1.5, "01234", "text"),
    (1.5, "nan", "text"),
    (1.5, "1e400", "text"),
    (1.5, "0.12345678901234567890", "text"),
    (1.5, 2**53 + 1, "bigint"),
    (True, FIVE, "bigint"),
    (True, "yes", "text"),
    (MOMENT, "01234", "text"),
    (MOMENT, 1_700_000_000, "bigint"),
    (MOMENT, 1.5e9, "double"),
    (MOMENT, "2026", "text"),
]
# the first value of a column, another one, and its value in that column
CONVERTED = [
    (FIVE, "-17", -17),
    (FIVE, 2.0, 2),
    (1.5, "2.50", 2.5),
    (1.5, 7, 7),
    ("a", "01", "01"),
]
PAIRS = [(first, second) for first, second, _ in [*ALTERED, *CONVERTED]]
FIRST = {"id": 1, **{f"n{number}": first for number, (first, _) in enumerate(PAIRS)}}
SECOND = {"id": 2, **{f"n{number}": second for number, (_, second) in enumerate(PAIRS)}}


def altered_and_converted(row: Mapping[str, Any]) -> tuple[list[Any], list[Any]]:
    """The values of a row in the columns of their fields."""
    values = [row[f"n{number}"] for number in range(len(PAIRS))]
    return values[: len(ALTERED)], values[len(ALTERED) :]


@pytest.mark.merge
@pytest.mark.usefixtures("warehouse")
@pytest.mark.parametrize("loads", [[[FIRST, SECOND]], [[FIRST], [SECOND]]], ids=["one", "two"])
def test_a_value_that_a_columns_type_would_alter_has_a_column_of_its_own(loads: Any) -> None:
    for rows in loads:
        pipeline = load(paged(rows), contract=KEYED)

    [one, two] = table_values(pipeline, "orders")
    assert altered_and_converted(one) == (
        [datetime.fromisoformat(MOMENT) if first == MOMENT else first for first, *_ in ALTERED],
        [first for first, *_ in CONVERTED],
    )
    assert altered_and_converted(two) == (
        [None for _ in ALTERED],
        [converted for *_, converted in CONVERTED],
    )
    own = [two[f"n{number}__v_{kind}"] for number, (*_, kind) in enumerate(ALTERED)]
    assert own == [value for _, value, _ in ALTERED]


AT = datetime(2026, 1, 31, 10, 30, tzinfo=UTC)
HINTS = {"day": "date", "at": "timestamp", "hour": "time"}
HINTED = orders({**MERGED, "columns": {name: {"data_type": HINTS[name]} for name in HINTS}})
TYPED = {"day": "2026-01-31", "at": "2026-01-31T10:30:00Z", "hour": "10:30:00"}


@pytest.mark.merge
@pytest.mark.usefixtures("warehouse")
@pytest.mark.parametrize(
    ("value", "kind"), [(20260131, "bigint"), (1.5, "double"), ("20260131", "text")]
)
def test_a_number_in_a_column_of_days_or_times_has_a_column_of_its_own(
    value: Any, kind: str
) -> None:
    rows = [{"id": 1, **TYPED}, {"id": 2, **dict.fromkeys(TYPED, value)}]

    pipeline = load(paged(rows), HINTED, contract=KEYED)

    own = [f"{name}__v_{kind}" for name in HINTS]
    assert table_values(pipeline, "orders") == [
        {"id": 1, "day": date(2026, 1, 31), "at": AT, "hour": time(10, 30), **dict.fromkeys(own)},
        {"id": 2, **dict.fromkeys(HINTS), **dict.fromkeys(own, value)},
    ]
