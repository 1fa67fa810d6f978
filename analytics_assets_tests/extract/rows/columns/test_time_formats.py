"""Times in a stated format reach the table the same way from rows and as Arrow tables."""

from datetime import UTC, date, datetime, time
from typing import Any

import pytest

from analytics_assets.contract.column import Column, DataType
from analytics_assets.contract.contract import Contract
from analytics_assets_tests.extract.rows.reading import MERGED, load, read_rows
from analytics_assets_tests.support.loading import table_values
from analytics_assets_tests.support.paged_server import orders, paged

FORMATS = {"at": "epoch_seconds", "ms": "epoch_milliseconds", "day": "%Y%m%d", "hour": "%H%M"}
TYPES: dict[str, DataType] = {"at": "timestamp", "ms": "timestamp", "day": "date", "hour": "time"}
COLUMNS = tuple(Column(name, name, TYPES[name], nullable=True) for name in FORMATS)
ID = Column("id", "id", "bigint", nullable=False)
KEYED = Contract("orders", primary_key=("id",), time_formats=FORMATS)
TYPED = Contract("orders", (ID, *COLUMNS), ("id",), time_formats=FORMATS)
AT = datetime(2026, 1, 31, 23, 30, 15, tzinfo=UTC)
FIRST = {"at": 1_769_902_215, "ms": 1_769_902_215_250, "day": 20260131, "hour": "2330"}
SECOND = {"at": "1769902215.5", "ms": 1769902215000.0, "day": "20260131", "hour": None}
STEP = {"processing_steps": [{"map": lambda row: row}]}  # not as Arrow


@pytest.mark.merge
@pytest.mark.usefixtures("warehouse")
@pytest.mark.parametrize(
    ("contract", "extra"),
    [(KEYED, {}), (TYPED, {}), (TYPED, STEP)],
    ids=["no contract", "as Arrow", "row by row"],
)
def test_times_are_read_by_their_formats(contract: Contract, extra: dict[str, Any]) -> None:
    rows = [{"id": 1, **FIRST}, {"id": 2, **SECOND}, {"id": 3, **FIRST, "day": "31.01.2026"}]

    pipeline = load(paged(rows), orders({**MERGED, **extra}), contract=contract)

    later = AT.replace(microsecond=500_000), AT
    assert table_values(pipeline, "orders") == [
        {
            "id": 1,
            "at": AT,
            "ms": AT.replace(microsecond=250_000),
            "day": date(2026, 1, 31),
            "hour": time(23, 30),
        },
        {"id": 2, "at": later[0], "ms": later[1], "day": date(2026, 1, 31), "hour": None},
    ]
    (rejected,) = table_values(pipeline, "rejected_rows", "offset")
    assert rejected["reason"] == "`$.day`: not in the format `%Y%m%d`"
    assert '"day": "31.01.2026"' in rejected["row"]  # as the API sent it


@pytest.mark.parametrize("contract", [KEYED, TYPED])
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"at": 1e15}, "`$.at`: in the format `epoch_seconds` not a time of the years 1 to 9999"),
        ({"at": "2026-01-31T23:30:15Z"}, "`$.at`: not in the format `epoch_seconds`"),
        ({"day": 2026111}, "`$.day`: not in the format `%Y%m%d`"),
    ],
)
def test_a_value_that_is_not_in_the_format_rejects_its_row(
    contract: Contract, change: dict[str, Any], reason: str
) -> None:
    found = read_rows(paged([{"id": 1, **FIRST}, {"id": 2, **FIRST, **change}]), contract=contract)

    assert [row["id"] for row in found.valid] == [1]
    assert [row["reason"] for row in found.rejected] == [reason]


def test_a_time_within_a_day_is_no_day() -> None:
    day = Column("day", "day", "date", nullable=True)
    contract = Contract("orders", (ID, day), ("id",), time_formats={"day": "epoch_seconds"})
    rows = [{"id": 1, "day": 1_769_817_600}, {"id": 2, "day": 1_769_817_601}]

    found = read_rows(paged(rows), contract=contract)

    assert found.valid == [{"id": 1, "day": date(2026, 1, 31)}]
    assert found.rejected[0]["reason"] == (
        "`$.day`: a time within a day, in a column of the type `date`"
    )


def test_a_time_may_be_in_an_object_and_a_part_of_the_key() -> None:
    formats = {"meta.at": "epoch_seconds", "day": "%Y%m%d"}
    contract = Contract("orders", primary_key=("day",), time_formats=formats)
    entry = orders({"primary_key": "day", **MERGED})

    found = read_rows(paged([{"day": 20260131, "meta": {"at": 0}}]), entry, contract=contract)

    assert found.valid == [
        {"day": date(2026, 1, 31), "meta": {"at": datetime(1970, 1, 1, tzinfo=UTC)}}
    ]
    assert found.rejected == []
