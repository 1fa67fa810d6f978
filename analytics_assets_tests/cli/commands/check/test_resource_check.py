"""The first page shows mistakes in an entry and its policy before anything is loaded.

A load with a field that no row has would reject all rows, or fail after hours.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import dlt
import pytest

from analytics_assets.cli.commands.check.resource_check import CheckError, check_resource
from analytics_assets.config.api import Api
from analytics_assets.config.load import Incremental, Partitioned
from analytics_assets.config.policy import PolicyEntry
from analytics_assets.config.times.window import Window
from analytics_assets.contract.resource import resource_of
from analytics_assets.extract.http.connection import connect
from analytics_assets.extract.incremental.window_check import WindowIgnoredError
from analytics_assets_tests.support.paged_server import (
    Answer,
    Answers,
    PagedServer,
    Request,
    orders,
    paged,
    serving,
)

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)
DAYS = [date(2026, 1, 29) + timedelta(days=number) for number in range(3)]
BY_DAY = Partitioned(start=date(2026, 1, 1), lookback=2)
INCREMENTAL = Incremental(initial_value="2026-01-01T00:00:00Z")


NO_POLICY = PolicyEntry()
BY_CHANGE: PolicyEntry = {"date_column": "updated_at"}


def rows_of(days: list[date], **fields: Any) -> list[dict[str, Any]]:
    return [
        {"id": number, "date": str(day), "updated_at": f"{day}T00:00:00Z", **fields}
        for number, day in enumerate(days)
    ]


def giving(rows: list[Any]) -> Answers:
    return paged(rows)


def by_its_dates(rows: list[Any]) -> Answers:
    """An API that heeds `start_date` and `end_date`."""

    def answer(asked: Request) -> Answer:
        first, last = asked.query.get("start_date", ""), asked.query.get("end_date", "9999")
        return paged([row for row in rows if first <= row["date"] <= last])(asked)

    return answer


def by_its_changes(rows: list[Any]) -> Answers:
    """An API that heeds `updated_since`."""

    def answer(asked: Request) -> Answer:
        since = asked.query.get("updated_since", "")
        return paged([row for row in rows if row["updated_at"] >= since])(asked)

    return answer


def describe(
    answers: Answers, policy: PolicyEntry = NO_POLICY, now: datetime = NOW, **entry: Any
) -> tuple[str, PagedServer]:
    with serving(answers) as server:
        paginator = {"type": "offset", "limit": 100}
        given = orders({"write_disposition": "merge", **entry}, paginator=paginator)
        config: Any = {"client": {"base_url": server.base_url}, "resources": [given]}
        api = Api(name="shop", config=config, policies={"orders": policy})
        outcome = check_resource(resource_of(api, "orders"), connect(config["client"], "shop"), now)
        assert outcome.warnings == []
        return outcome.text, server


def refusal(answers: Answers, policy: PolicyEntry = NO_POLICY, **entry: Any) -> str:
    with pytest.raises(CheckError) as refused:
        describe(answers, policy, **entry)
    return str(refused.value)


def test_a_page_is_described_by_its_rows() -> None:
    text, server = describe(giving(rows_of(DAYS)))
    assert text == "3 rows on the first page; the second (offset=3) is empty"
    assert len(server.requests) == 2


@pytest.mark.parametrize("policy", [{}, {"load": INCREMENTAL}, {"load": BY_DAY}])
def test_a_page_without_rows_is_no_failure(policy: PolicyEntry) -> None:
    text, _ = describe(giving([]), policy)
    assert text.startswith("no rows on the first page")


def test_a_primary_key_that_no_row_has_is_named_with_the_fields_of_the_rows() -> None:
    rows = [{"uuid": 1, "day": "2026-01-31"}, {"uuid": 2, "id": None}]
    assert refusal(giving(rows)) == (
        "orders: of 2 rows none has a value in `id`: set `primary_key` in "
        "its entry to the field that identifies a row. Their fields are `uuid`, `day`, `id`."
    )


def test_each_part_of_a_key_must_have_a_value_in_some_row() -> None:
    text = refusal(giving(rows_of(DAYS)), primary_key=["id", "shop"])
    assert "none has a value in `shop`" in text
    assert "none has a value in `id`" not in text


def test_a_primary_key_that_one_row_has_passes() -> None:
    assert describe(giving([{"id": 1}, {"uuid": 2}]))[0].startswith("2 rows on the first page")


def test_a_key_that_a_step_of_the_entry_makes_passes_as_in_a_load() -> None:
    # a step that is applied twice fails
    steps = [{"map": lambda row: {"uuid": row["id"]}}]
    text, _ = describe(giving(rows_of(DAYS)), primary_key="uuid", processing_steps=steps)
    assert text.startswith("3 rows on the first page")


def test_the_steps_of_an_entry_are_applied_once() -> None:
    steps = [{"map": lambda row: {"uuid": row.pop("id"), **row}}]  # fails for a row that had it
    text, _ = describe(giving(rows_of(DAYS)), primary_key="uuid", processing_steps=steps)
    assert text.startswith("3 rows on the first page")


def test_a_resource_of_dlt_itself_has_no_key_to_compare() -> None:
    resource = dlt.resource([{"uuid": 1}], name="orders")
    defaults = {"primary_key": "id"}
    client = {"base_url": "http://127.0.0.1"}
    config = {"client": client, "resource_defaults": defaults, "resources": [resource]}
    api = Api(name="shop", config=config)
    text = check_resource(resource_of(api, "orders"), connect(client, "shop"), NOW).text
    assert text == "1 row on the first page"


def test_the_newest_finished_partitions_are_requested_as_by_a_load() -> None:
    rows = rows_of([*DAYS, date(2026, 1, 1)])
    text, server = describe(by_its_dates(rows), {"load": BY_DAY})
    assert text == (
        "3 rows on the first page for start_date=2026-01-29, end_date=2026-01-31, none of them "
        "outside of that; the second (offset=3) is empty"
    )
    assert server.requests[0].query["start_date"] == "2026-01-29"


@pytest.mark.parametrize(
    ("load", "first", "last"),
    [
        (Partitioned(start=date(2026, 1, 1), longest_window=1), "2026-01-31", "2026-01-31"),
        (Partitioned(start=date(2026, 1, 31)), "2026-01-31", "2026-01-31"),
        (Partitioned(start=date(2026, 1, 1), include_unfinished=True), "2026-01-28", "2026-01-31"),
        (Partitioned(by="month", start=date(2025, 1, 1), lookback=1), "2025-12-01", "2026-01-31"),
        (
            Partitioned(start=date(2026, 1, 1), lookback=0, window=Window(end_is_inclusive=False)),
            "2026-01-31",
            "2026-02-01",
        ),
    ],
)
def test_no_more_is_requested_than_by_a_load(load: Partitioned, first: str, last: str) -> None:
    _, server = describe(giving([]), {"load": load})
    [asked] = server.requests
    assert (asked.query["start_date"], asked.query["end_date"]) == (first, last)


def test_before_any_partition_has_ended_the_page_has_no_dates() -> None:
    policy: PolicyEntry = {"load": Partitioned(start=date(2026, 2, 1))}
    text, server = describe(giving(rows_of(DAYS)), policy)
    assert text.startswith("3 rows on the first page;")
    assert "start_date" not in server.requests[0].query


def test_an_api_that_ignores_its_dates_is_refused_with_the_error_of_a_load() -> None:
    days = [date(2025, 1, 1) + timedelta(days=number) for number in range(9)]
    with pytest.raises(WindowIgnoredError, match="9 of the 10 rows for start_date"):
        describe(giving(rows_of([*days, DAYS[0]])), {"load": BY_DAY})


def test_some_rows_outside_of_the_days_are_counted() -> None:
    text, _ = describe(giving(rows_of([*DAYS, date(2026, 2, 1)])), {"load": BY_DAY})
    assert "end_date=2026-01-31, 1 of them outside of that" in text


def test_a_row_at_an_inclusive_end_lies_within() -> None:
    load = Partitioned(start=date(2026, 1, 1), window=Window(format="%Y-%m-%dT%H:%M:%S"))
    text, _ = describe(giving(rows_of([*DAYS, date(2026, 2, 1)])), {"load": load, **BY_CHANGE})
    assert "end_date=2026-02-01T00:00:00, none of them outside of that" in text


def test_a_date_column_that_no_row_has_is_named_if_partitions_are_loaded_by_it() -> None:
    rows = giving([{"id": 1, "Day": "2026-01-31", "property": 7}])
    policy: PolicyEntry = {"load": BY_DAY, "rename": {"property": "site"}}
    assert refusal(rows, policy) == (
        "orders: of 1 row none has a value in `date`: set `date_column` in "
        "its policy to the column of a row's day. Their fields are `id`, "
        "`Day` (column `day`), `property` (column `site`)."
    )
    assert describe(rows)[0].startswith("1 row on the first page;")


@pytest.mark.parametrize(
    ("column", "fields"),
    [
        ("site_day", {"property": "2026-01-31"}),
        ("about__day", {"about": {"day": "2026-01-31"}}),
        ("the_day", {"theDay": "2026-01-31"}),
    ],
)
def test_a_day_is_found_in_the_field_of_its_column(column: str, fields: Any) -> None:
    policy: PolicyEntry = {
        "load": BY_DAY,
        "date_column": column,
        "rename": {"property": "site_day"},
    }
    text, _ = describe(giving([{"id": 1, **fields}]), policy)
    assert "none of them outside of that" in text


def test_changes_are_requested_since_the_initial_value() -> None:
    text, server = describe(by_its_changes(rows_of(DAYS)), {"load": INCREMENTAL})
    assert text.startswith("3 rows on the first page for updated_since=2026-01-01T00:00:00Z;")
    assert server.requests[0].query["updated_since"] == "2026-01-01T00:00:00Z"


def test_an_api_that_filters_changes_by_days_ignores_nothing() -> None:
    rows: list[dict[str, Any]] = [
        {"id": hour, "updated_at": f"2026-01-31T{hour:02}:00:00Z"} for hour in range(20)
    ]

    def answer(asked: Request) -> Answer:
        since = asked.query.get("updated_since", "")[:10]
        return paged([row for row in rows if row["updated_at"] >= since])(asked)

    text, server = describe(answer, {"load": INCREMENTAL})
    assert text.startswith("20 rows on the first page")
    assert server.requests[-1].query["updated_since"] == "2026-01-31T19:00:00Z"


def test_times_are_sent_and_compared_in_their_formats() -> None:
    rows = [
        {"id": day.day, "date": day.strftime("%d.%m.%Y"), "updated_at": 1767225600} for day in DAYS
    ]
    formats = {"date": "%d.%m.%Y", "updated_at": "epoch_seconds"}

    by_day, _ = describe(giving(rows), {"load": BY_DAY, "time_formats": formats})
    _, server = describe(giving(rows), {"load": INCREMENTAL, "time_formats": formats})

    assert "none of them outside of that" in by_day
    assert server.requests[0].query["updated_since"] == "1767225600"


def test_an_incremental_field_that_no_row_has_is_named() -> None:
    text = refusal(giving([{"id": 1, "changed": "2026-01-31"}]), {"load": INCREMENTAL})
    assert "none has a value in `updated_at`: set `field` of `Incremental`" in text
    assert text.endswith("Their fields are `id`, `changed`.")


def test_an_incremental_field_may_be_a_path() -> None:
    load = Incremental(field="about.changed", initial_value="2026-01-01")
    text, _ = describe(giving([{"id": 1, "about": {"changed": "2026-01-31"}}]), {"load": load})
    assert text.startswith("1 row on the first page")


def test_all_missing_fields_are_named_at_once() -> None:
    text = refusal(giving([{"uuid": 1}]), {"load": BY_DAY})
    assert "in `id`" in text
    assert "in `date`" in text


def test_a_child_is_read_of_the_first_row_of_its_parent_that_has_some() -> None:
    def answer(asked: Request) -> Answer:
        if asked.path == "/orders":
            offset = asked.number("offset")
            return Answer({"data": [{"id": offset}, {"id": offset + 1}], "total": 100})
        found = [{"line": 1}, {"line": 2}] if asked.path == "/orders/1/lines" else []
        return Answer({"data": found, "total": len(found)})

    lines = {
        "name": "lines",
        "primary_key": ["_orders_id", "line"],
        "include_from_parent": ["id"],
        "endpoint": {"path": "/orders/{resources.orders.id}/lines", "data_selector": "data"},
    }
    with serving(answer) as server:
        config: Any = {"client": {"base_url": server.base_url}, "resources": [orders(), lines]}
        api = Api(name="shop", config=config)
        text = check_resource(
            resource_of(api, "lines"), connect(config["client"], "shop"), NOW
        ).text
        assert text == "2 rows on the first page; there is no second, total 2"
        paths = [asked.path for asked in server.requests]
        assert paths == ["/orders", "/orders/0/lines", "/orders/1/lines"]
