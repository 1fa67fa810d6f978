"""Made rows in all that follows: the proof, parents, cursors, rejected rows, tables."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from analytics_assets.config.load import Incremental
from analytics_assets.contract.column import Column
from analytics_assets.contract.contract import Contract
from analytics_assets.extract.http.connection import connect
from analytics_assets.extract.incremental.cursor import Cursor
from analytics_assets.extract.rows.rejected_rows import RowsRejectedAgain
from analytics_assets.extract.source import kept_rows_source, rest_api_source
from analytics_assets_tests.extract.rows.reading import (
    MERGED,
    extract_source,
    load,
    metrics_of,
    read_rows,
)
from analytics_assets_tests.support.loading import table_values
from analytics_assets_tests.support.paged_server import (
    Answer,
    Answers,
    Request,
    attempted,
    in_turn,
    orders,
    read,
    serving,
)

ZIP = {"zip": [{"names": "columns", "values": "$", "types": "types"}]}
COLUMNS = ["id", "day", "share"]
TYPES = ["INTEGER", "DATE", "Float64"]
ROWS = [["1", "2026-01-30", "0.5"], ["2", "2026-01-31", "1"], ["3", "2026-02-01", "2"]]


def table(*rows: Any, **body: Any) -> Answer:
    return Answer({"columns": COLUMNS, "types": TYPES, "data": list(rows), **body})


def paged_table(rows: list[Any], cap: int = 2) -> Answers:
    def answer(asked: Request) -> Answer:
        offset = asked.number("offset")
        return table(*rows[offset : offset + cap], total=len(rows))

    return answer


def test_a_made_row_on_two_pages_fails_the_read() -> None:
    def shifted(asked: Request) -> Answer:
        offset = max(asked.number("offset") - 1, 0)
        return table(*ROWS[offset : offset + 2], total=4)

    assert "on two pages" in attempted(shifted, {"rows": ZIP}).error


def test_a_total_is_held_against_made_rows() -> None:
    def short(asked: Request) -> Answer:
        return table(*(ROWS[:2] if not asked.number("offset") else ()), total=3)

    assert "Expected 3 rows, received 2" in attempted(short, {"rows": ZIP}).error


def test_an_error_names_resource_page_and_both_numbers() -> None:
    error = attempted(in_turn(table(["1", "2026-01-30"])), {"rows": ZIP}).error

    assert error.startswith("orders: GET http://127.0.0.1")
    assert "/orders?offset=0&limit=2: a row has 2 values at `$` for 3 names at `columns`" in error
    assert "2026-01-30" not in error


def of_days(**body: Any) -> Answer:
    return Answer({"days": {"2026-01-30": [{"id": 1}, {"id": 2}], "2026-01-31": []}, **body})


BY_DAY = {"rows": {"entries": {"key": "day"}}}


@pytest.mark.parametrize("counts", [{"total": 31}, {"count": 1}, {"total": 1, "pages": 7}])
def test_no_number_counts_the_rows_of_keys(counts: dict[str, int]) -> None:
    found = read(in_turn(of_days(**counts)), BY_DAY, data_selector="days", paginator="single_page")

    assert found.numbers == [1, 2]


def test_a_number_that_the_entry_names_counts_the_rows_of_keys() -> None:
    paginator = {"type": "cursor", "cursor_path": "next", "total_path": "rows"}
    answers = in_turn(*[of_days(rows=3, total=3)] * 9)

    error = attempted(answers, BY_DAY, data_selector="days", paginator=paginator).error
    assert "Expected 3 rows, received 2" in error


def test_an_empty_page_of_keys_is_no_end_before_the_number_of_pages() -> None:
    def answer(asked: Request) -> Answer:
        number = asked.number("page")
        return Answer({"days": [] if number == 1 else {f"{number}": {"id": number}}, "pages": 3})

    paginator = {"type": "page_number", "base_page": 0, "total_path": "pages"}
    error = attempted(answer, BY_DAY, data_selector="days", paginator=paginator).error
    assert "`pages`" in error


@pytest.mark.parametrize("options", [{"has_more_path": "more"}, {}])
def test_pages_of_keys_end_by_a_flag_or_an_empty_page_and_not_by_their_length(
    options: dict[str, str],
) -> None:
    def answer(asked: Request) -> Answer:
        number = asked.number("page")
        length = 3 - number % 2 if number < 5 else 0
        keys = {f"{number}-{n}": {"id": 10 * number + n} for n in range(length)}
        return Answer({"days": keys or [], "more": number < 4})

    paginator = {"type": "page_number", "base_page": 1, "total_path": None, **options}
    found = read(answer, BY_DAY, data_selector="days", paginator=paginator)

    assert found.numbers == [10, 11, 20, 21, 22, 30, 31, 40, 41, 42]


@pytest.mark.parametrize("body", [{"days": [1]}, {"days": 5}, {"days": None}, {"other": {}}, [[1]]])
def test_what_is_no_object_in_the_place_of_keys_is_no_empty_page(
    body: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNTIME__REQUEST_MAX_ATTEMPTS", "1")
    answers = in_turn(*[Answer(body)] * 2)

    found = attempted(answers, BY_DAY, data_selector="days", paginator="single_page")

    assert "`days`" in found.error


def test_children_are_read_from_made_rows_and_get_fields_of_them() -> None:
    lines = {
        "name": "lines",
        "primary_key": ["_orders_id", "line"],
        "include_from_parent": ["id", "day"],
        "endpoint": {
            "path": "orders/{resources.orders.id}/lines",
            "data_selector": "lines",
            "paginator": "single_page",
        },
        "rows": {
            "entries": {"key": "line", "value": "amount"},
            "fields": {"order": {"path": 2}},
        },
    }

    def answer(asked: Request) -> Answer:
        if asked.path == "/orders":
            return paged_table(ROWS[:2])(asked)
        return Answer({"lines": {"a": asked.path, "b": 0}})

    found = read_rows(answer, orders({"rows": ZIP}), lines).valid

    assert [row for row in found if "line" in row and row["line"] == "a"] == [
        {
            "amount": f"/orders/{number}/lines",
            "line": "a",
            "order": str(number),
            "_orders_id": number,
            "_orders_day": day,
        }
        for number, day in ((1, date(2026, 1, 30)), (2, date(2026, 1, 31)))
    ]


@pytest.mark.usefixtures("duckdb_warehouse")
def test_a_cursor_follows_a_field_that_is_made() -> None:
    made = {"zip": [{"names": ["id", "at"], "values": "$"}]}
    rows = [[1, "2026-01-05T00:00:00Z"], [2, "2026-01-07T12:00:00Z"]]
    incremental = Incremental(
        param="since", field="at", initial_value="2026-01-01T00:00:00Z", lookback=timedelta(0)
    )
    asked_for = []

    def answer(asked: Request) -> Answer:
        asked_for.append(asked.query["since"])
        return Answer({"data": rows, "total": 2})

    entry = orders({**MERGED, "rows": made}, paginator="single_page")
    with serving(answer) as server:
        config = {"client": {"base_url": server.base_url}, "resources": [entry]}
        for _ in range(2):
            contract = Contract("orders", primary_key=("id",))
            source = rest_api_source(
                *(config, "shop", connect(config["client"], "shop")),  # type: ignore[arg-type]
                cursors={"orders": Cursor(incremental, contract)},
            )
            pipeline = extract_source(source)

    assert asked_for == ["2026-01-01T00:00:00Z", "2026-01-07T12:00:00Z"]
    assert metrics_of(pipeline)["cursor"]["rows_without_cursor"] == 0


@pytest.mark.merge
@pytest.mark.usefixtures("warehouse")
def test_columns_have_the_types_of_headers_then_of_the_entry_then_those_of_values() -> None:
    columns = {"code": {"data_type": "text"}, "price": {"data_type": "decimal", "scale": 2}}
    body = {
        "columns": ["id", "day", "share", "code", "price", "at", "name"],
        "types": ["Int64", "Date", "Float64", "Int64", "Float64", "DateTime", "String"],
    }
    rows = [
        ["1", "2026-01-30", "2", "007", "12.50", "2026-01-30T10:00:00Z", "12"],
        ["2", "2026-01-31", "0.53846153846153844", "12", "3", None, "(not set)"],
    ]
    entry = orders({**MERGED, "columns": columns, "rows": ZIP}, paginator="single_page")

    pipeline = load(in_turn(Answer({**body, "data": rows})), entry)

    assert [
        (row["id"], row["day"], row["share"], row["code"], str(row["price"]), row["name"])
        for row in table_values(pipeline, "orders")
    ] == [
        (1, date(2026, 1, 30), 2.0, "007", "12.50", "12"),
        (2, date(2026, 1, 31), 0.53846153846153844, "12", "3.00", "(not set)"),
    ]
    at = table_values(pipeline, "orders")[0]["at"]
    assert at.astimezone(UTC) == datetime(2026, 1, 30, 10, tzinfo=UTC)


def test_a_value_that_does_not_fit_its_type_is_rejected_by_a_contract() -> None:
    contract = Contract("orders", (Column("id", "id", "bigint", nullable=False),), ("id",))
    odd = ["(other)", "2026-01-30", "1"]

    found = read_rows(paged_table([odd, *ROWS]), orders({"rows": ZIP}), contract=contract)

    assert [row["id"] for row in found.valid] == [1, 2, 3]
    assert [json.loads(each["row"]) for each in found.rejected] == [
        {"id": "(other)", "day": "2026-01-30", "share": 1.0}
    ]
    assert found.rejected[0]["reason"] == "`$.id`: Expected `int`, got `str`"


def test_a_retry_begins_with_the_row_that_was_made() -> None:
    entry = orders({"rows": {**ZIP, "fields": {"source": "a", "sent": {"param": "offset"}}}})
    config = {"client": {"base_url": "http://127.0.0.1:1"}, "resources": [entry]}
    kept = [{"id": 1, "day": "2026-01-30", "source": "a"}, {"day": "2026-01-30"}]
    again = RowsRejectedAgain("shop", "orders")

    source = kept_rows_source(
        *(config, "shop", Contract("orders", primary_key=("id",)), kept, again, "shop_orders")
    )

    assert list(source) == [kept[0]]
    assert again.reasons == {1: "`$.id`: missing primary key"}


def test_steps_get_made_rows_and_their_result_is_asked_for_the_key() -> None:
    steps = [{"map": lambda row: {"key": f"{row['day']}-{row['id']}"}}]
    entry = orders({"primary_key": "key", "rows": ZIP, "processing_steps": steps})

    assert [row["key"] for row in read_rows(paged_table(ROWS), entry).valid] == [
        "2026-01-30-1",
        "2026-01-31-2",
        "2026-02-01-3",
    ]
