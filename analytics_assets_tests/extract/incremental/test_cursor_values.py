"""Cursor values are the same, from rows one by one or from an Arrow table."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from analytics_assets.config.load import Incremental
from analytics_assets.contract.contract import Contract
from analytics_assets.extract.incremental.cursor_values import (
    ROWS_BEFORE_START,
    ROWS_WITHOUT_CURSOR,
    ROWS_YET_TO_COME,
    CursorError,
    CursorValues,
)

START = datetime(2026, 1, 5, tzinfo=UTC)
NOW = datetime(2026, 1, 9, 12, tzinfo=UTC)
# before the start, at it, the newest, none, during the read, in the future
TEXTS = ["2026-01-04", "2026-01-05", "2026-01-08", None, "2026-01-10", "2026-01-11", "2026-01-08"]


def changes(
    field: str = "at", zoned: bool = False, form: str | None = None, **rename: str
) -> CursorValues:
    load = Incremental(field=field, initial_value="2026-01-05T00:00:00Z")
    contract = Contract("orders", rename=rename, time_formats={field: form} if form else {})
    return CursorValues(contract, load, START, NOW, zoned)


def summary(found: CursorValues) -> tuple[Any, ...]:
    counts = found.counts
    return (
        found.newest,
        counts[ROWS_BEFORE_START],
        counts[ROWS_WITHOUT_CURSOR],
        counts[ROWS_YET_TO_COME],
    )


def as_day(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None


def days(kind: pa.DataType) -> pa.Table:
    return pa.table({"changed": pa.array(map(as_day, TEXTS), pa.timestamp("us", "UTC")).cast(kind)})


@pytest.mark.parametrize(
    "item",
    [
        [{"at": text} for text in TEXTS],
        [{"at": text and f"{text}T00:00:00Z"} for text in TEXTS],
        days(pa.timestamp("us", "UTC")),
        days(pa.timestamp("ms", "UTC")),
        days(pa.date32()),
        pa.table({"changed": TEXTS}),
    ],
    ids=["dates", "times", "timestamps", "milliseconds", "days", "texts"],
)
def test_rows_are_counted_however_the_time_is_written(item: Any) -> None:
    found = changes(at="changed")

    found.add(item)

    assert summary(found) == (datetime(2026, 1, 8, tzinfo=UTC), 1, 1, 1)


@pytest.mark.parametrize(
    ("form", "values"),
    [
        ("epoch_seconds", [day and day.timestamp() for day in map(as_day, TEXTS)]),
        ("epoch_seconds", [day and str(int(day.timestamp())) for day in map(as_day, TEXTS)]),
        ("epoch_milliseconds", [day and 1000 * day.timestamp() for day in map(as_day, TEXTS)]),
        ("%Y%m%d", [text and int(text.replace("-", "")) for text in TEXTS]),
        ("%d.%m.%Y", [day and day.strftime("%d.%m.%Y") for day in map(as_day, TEXTS)]),
    ],
)
def test_rows_are_counted_by_times_in_a_stated_format(form: str, values: list[Any]) -> None:
    found = changes(form=form, zoned=True)

    found.add([{"at": value} for value in values])

    assert summary(found) == (datetime(2026, 1, 8, tzinfo=UTC), 1, 1, 1)


@pytest.mark.parametrize("value", [1_767_830_400, 1.5, 20260108, Decimal("1767830400.5")])
def test_a_number_is_no_time_without_a_stated_format(value: Any) -> None:
    with pytest.raises(CursorError, match=r'`at` is a number, .* "epoch_seconds"'):
        changes().add([{"at": "2026-01-08"}, {"at": value}])


def test_the_newest_and_the_numbers_are_of_all_pages() -> None:
    found = changes()

    for text in TEXTS:
        found.add([{"at": text}])
    found.add([])

    assert summary(found) == (datetime(2026, 1, 8, tzinfo=UTC), 1, 1, 1)


def test_a_table_without_times_has_no_newest() -> None:
    found = changes()

    found.add(pa.table({"at": pa.array([None, None], pa.timestamp("us", "UTC"))}))

    assert summary(found) == (None, 0, 2, 0)


@pytest.mark.parametrize("value", [None, "", "soon", [], {"on": "2026-01-08"}, True, "1767830400"])
def test_any_other_value_counts_as_no_time(value: Any) -> None:
    found = changes()

    found.add([{"at": value}, {}, "no object"])

    assert summary(found) == (None, 0, 3, 0)


def test_a_nested_time_is_found_by_its_path() -> None:
    found = changes("meta.changed[0]")

    found.add([{"meta": {"changed": ["2026-01-08"]}}, {"meta": None}])

    assert summary(found) == (datetime(2026, 1, 8, tzinfo=UTC), 0, 1, 0)


def test_a_time_needs_a_zone_where_others_have_one_and_a_date_does_not() -> None:
    changes(zoned=True).add([{"at": "2026-01-08"}, {"at": "2026-01-08T00:00:00Z"}])
    changes().add([{"at": "2026-01-08T00:00:00"}])

    with pytest.raises(CursorError, match=r"'2026-01-08T00:00:00', .* is '2026-01-05T00:00:00Z'"):
        changes(zoned=True).add([{"at": "2026-01-08T00:00:00"}])
