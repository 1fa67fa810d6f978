"""Entries and pages that become columns, and those that stay rows, as docs/loading.md says."""

import re
from typing import Any

import pytest

from analytics_assets_tests.extract.paging.typed_pages.typed_orders import (
    IN_COLUMNS,
    ORDERS,
    PAGE,
    changed,
    entry,
    read,
)
from analytics_assets_tests.support.paged_server import paged

pytestmark = pytest.mark.usefixtures("in_a_load")
IDS = [each["id"] for each in ORDERS]


def with_hint(field: str, **hint: Any) -> dict[str, Any]:
    return {"columns": {field: hint}}


def with_endpoint(**parts: Any) -> dict[str, Any]:
    return {"endpoint": {**entry()["endpoint"], **parts}}


def numbered(extra: dict[str, Any]) -> str:
    """The name of a case, without the address of a function in it."""
    return re.sub(r" at 0x\w+", "", str(extra))


@pytest.mark.parametrize(
    "extra",
    [
        {"write_disposition": "replace"},
        {"write_disposition": "append"},
        {"write_disposition": {"disposition": "merge", "strategy": "delete-insert"}},
        with_hint("text", data_type="text", precision=50),
        with_hint("amount", data_type="decimal", precision=20, scale=5),
        with_endpoint(data_selector=None),
    ],
    ids=numbered,
)
def test_rows_of_an_entry_become_columns(extra: dict[str, Any], typed_pages: list[int]) -> None:
    given = {**entry(), **extra}
    given["endpoint"] = {key: part for key, part in given["endpoint"].items() if part is not None}

    assert read(paged(ORDERS), given).ids == IDS
    assert sum(typed_pages) == len(ORDERS)


@pytest.mark.parametrize(
    "extra",
    [
        {"write_disposition": {"disposition": "merge", "strategy": "upsert"}},
        {"write_disposition": {"disposition": "merge", "strategy": "scd2"}},
        {"processing_steps": [{"map": lambda each: each}]},
        {"table_name": lambda _row: "orders"},
        {"columns": [{"name": "amount", "data_type": "double"}]},
        with_hint("at", data_type="timestamp", precision=3),
        with_hint("at", data_type="timestamp", timezone=False),
        with_hint("text", data_type="binary"),
        with_endpoint(data_selector="data[*]"),
        with_endpoint(incremental={"cursor_path": "at", "initial_value": "2020-01-01T00:00:00Z"}),
    ],
    ids=numbered,
)
def test_rows_of_an_entry_stay_rows(extra: dict[str, Any], typed_pages: list[int]) -> None:
    found = read(paged(ORDERS), {**entry(), **extra})

    assert [each["id"] for each in found.rows] == IDS
    assert sum(typed_pages) == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [("tags", [[1], [2]]), ("text", 7), ("amount", 2**60 + 1)],
    ids=str,
)
def test_a_page_that_does_not_fit_stays_rows_among_columns(
    field: str, value: Any, typed_pages: list[int]
) -> None:
    def with_value(_offset: int, body: Any) -> Any:
        return {**body, "data": [{**each, field: value} for each in body["data"]]}

    found = read(changed(paged(ORDERS), with_value, {40}), entry())

    assert found.rows[:40] == IN_COLUMNS[:40]
    assert len(found.rows) + len(found.rejected) == len(ORDERS)
    assert typed_pages.count(PAGE) == 18


@pytest.mark.parametrize("changes", [False, True])
def test_a_read_in_columns_and_in_rows_is_confirmed_by_a_pass_with_the_same_rows(
    changes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("READING__CONFIRM", "true")
    passes = [0]

    def in_another_order(offset: int, body: Any) -> Any:
        passes[0] += offset == 0
        text = f"pass {min(passes[0], 2)}" if changes and offset == 60 else "same"
        odd = {"tags": [[1], [2]]} if offset == 40 else {}
        fields = [{**each, "text": text, **odd}.items() for each in body["data"]]
        # each pass brings the fields in another order
        order = reversed if passes[0] % 2 else iter
        return {**body, "data": [dict(order(list(each))) for each in fields]}

    found = read(changed(paged(ORDERS), in_another_order), entry())

    assert [each["id"] for each in found.rows] == IDS
    assert passes == [3 if changes else 2]
