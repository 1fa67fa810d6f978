"""What a look at the first page finds wrong in an entry and its policy, before anything is loaded.

A load that names a field which no row has would reject all rows, or find it out after hours.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import dlt
import pytest

from analytics_assets.cli.first_page import FirstPageError, describe_first_page
from analytics_assets.config.api import Api
from analytics_assets.config.load import Incremental, Partitioned
from analytics_assets.config.policy import PolicyEntry
from analytics_assets.config.window import Window
from analytics_assets.contract.resource import resource_of
from analytics_assets.extract.http.connection import connect
from analytics_assets.extract.incremental.window_check import WindowIgnoredError
from analytics_assets_tests.support.paged_server import (
    Answer,
    Answers,
    Asked,
    PagedServer,
    orders,
    serving,
)

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)
DAYS = [date(2026, 1, 29) + timedelta(days=number) for number in range(3)]
BY_DAY = Partitioned(start=date(2026, 1, 1), lookback=2)
WHAT_IS_NEW = Incremental(initial_value="2026-01-01T00:00:00Z")


NO_POLICY = PolicyEntry()
BY_CHANGE: PolicyEntry = {"date_column": "updated_at"}


def rows_of(days: list[date], **fields: Any) -> list[dict[str, Any]]:
    return [
        {"id": number, "date": str(day), "updated_at": f"{day}T00:00:00Z", **fields}
        for number, day in enumerate(days)
    ]


def giving(rows: list[Any]) -> Answers:
    return lambda _asked: Answer({"data": rows, "total": len(rows)})


def by_its_dates(rows: list[Any]) -> Answers:
    """An API that heeds `start_date` and `end_date`."""

    def answer(asked: Asked) -> Answer:
        first, last = asked.query.get("start_date", ""), asked.query.get("end_date", "9999")
        return giving([row for row in rows if first <= row["date"] <= last])(asked)

    return answer


def look(
    answers: Answers, policy: PolicyEntry = NO_POLICY, now: datetime = NOW, **entry: Any
) -> tuple[str, PagedServer]:
    with serving(answers) as server:
        given = orders({"write_disposition": "merge", **entry}, path="/orders")
        config: Any = {"client": {"base_url": server.base_url}, "resources": [given]}
        api = Api(name="shop", config=config, policies={"orders": policy})
        return describe_first_page(
            resource_of(api, "orders"), connect(config["client"], "shop"), now
        ), server


def complaint(answers: Answers, policy: PolicyEntry = NO_POLICY, **entry: Any) -> str:
    with pytest.raises(FirstPageError) as refused:
        look(answers, policy, **entry)
    return str(refused.value)


def test_a_page_is_said_by_its_rows() -> None:
    said, server = look(giving(rows_of(DAYS)))
    assert said == "3 rows on the first page"
    assert len(server.asked) == 1


@pytest.mark.parametrize("policy", [{}, {"load": WHAT_IS_NEW}, {"load": BY_DAY}])
def test_a_page_without_rows_is_said_and_is_no_failure(policy: PolicyEntry) -> None:
    said, _ = look(giving([]), policy)
    assert said.startswith("no rows on the first page")


def test_a_primary_key_that_no_row_has_is_named_with_the_fields_that_there_are() -> None:
    rows = [{"uuid": 1, "day": "2026-01-31"}, {"uuid": 2, "id": None}]
    assert complaint(giving(rows)) == (
        "orders: of the 2 rows on the first page none has a value in `id`: set `primary_key` in "
        "its entry to the field that identifies a row. Their fields are `uuid`, `day`, `id`."
    )


def test_each_part_of_a_key_must_be_there_in_some_row() -> None:
    said = complaint(giving(rows_of(DAYS)), primary_key=["id", "shop"])
    assert "none has a value in `shop`" in said
    assert "none has a value in `id`" not in said


def test_a_primary_key_that_one_row_has_is_left_to_the_load() -> None:
    assert look(giving([{"id": 1}, {"uuid": 2}]))[0] == "2 rows on the first page"


def test_a_key_that_only_a_step_of_the_entry_makes_is_missing_as_it_is_for_a_load() -> None:
    steps = [{"map": lambda row: {**row, "uuid": row["id"]}}]
    said = complaint(giving(rows_of(DAYS)), primary_key="uuid", processing_steps=steps)
    assert "none has a value in `uuid`" in said


def test_a_resource_of_dlt_itself_is_left_alone() -> None:
    resource = dlt.resource([{"uuid": 1}], name="orders")
    defaults = {"primary_key": "id"}
    client = {"base_url": "http://127.0.0.1"}
    config = {"client": client, "resource_defaults": defaults, "resources": [resource]}
    api = Api(name="shop", config=config)
    said = describe_first_page(resource_of(api, "orders"), connect(client, "shop"), NOW)
    assert said == "1 rows on the first page"


def test_partitions_are_asked_for_as_a_load_asks_for_the_newest_that_are_over() -> None:
    rows = rows_of([*DAYS, date(2026, 1, 1)])
    said, server = look(by_its_dates(rows), {"load": BY_DAY})
    assert said == (
        "3 rows on the first page for start_date=2026-01-29, end_date=2026-01-31, none of them "
        "outside of that"
    )
    assert server.asked[0].query["start_date"] == "2026-01-29"


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
def test_no_more_is_asked_for_than_a_load_would(load: Partitioned, first: str, last: str) -> None:
    _, server = look(giving([]), {"load": load})
    [asked] = server.asked
    assert (asked.query["start_date"], asked.query["end_date"]) == (first, last)


def test_a_page_is_had_before_any_partition_is_over() -> None:
    policy: PolicyEntry = {"load": Partitioned(start=date(2026, 2, 1))}
    said, server = look(giving(rows_of(DAYS)), policy)
    assert said == "3 rows on the first page"
    assert "start_date" not in server.asked[0].query


def test_an_api_that_ignores_its_dates_is_found_out_in_the_words_of_a_load() -> None:
    days = [date(2025, 1, 1) + timedelta(days=number) for number in range(9)]
    with pytest.raises(WindowIgnoredError, match="9 of the 10 rows for start_date"):
        look(giving(rows_of([*days, DAYS[0]])), {"load": BY_DAY})


def test_some_rows_outside_of_the_days_are_counted() -> None:
    said, _ = look(giving(rows_of([*DAYS, date(2026, 2, 1)])), {"load": BY_DAY})
    assert said.endswith("end_date=2026-01-31, 1 of them outside of that")


def test_a_row_at_an_inclusive_end_lies_within() -> None:
    load = Partitioned(start=date(2026, 1, 1), window=Window(format="%Y-%m-%dT%H:%M:%S"))
    said, _ = look(giving(rows_of([*DAYS, date(2026, 2, 1)])), {"load": load, **BY_CHANGE})
    assert said.endswith("end_date=2026-02-01T00:00:00, none of them outside of that")


def test_a_date_column_that_no_row_has_is_named_if_partitions_are_loaded_by_it() -> None:
    rows = giving([{"id": 1, "Day": "2026-01-31", "property": 7}])
    policy: PolicyEntry = {"load": BY_DAY, "rename": {"property": "site"}}
    assert complaint(rows, policy) == (
        "orders: of the 1 rows on the first page none has a value in `date`: set `date_column` in "
        "its policy to the column of a row's day. Their fields are `id`, "
        "`Day` (column `day`), `property` (column `site`)."
    )
    assert look(rows)[0] == "1 rows on the first page"


@pytest.mark.parametrize(
    ("column", "fields"),
    [
        ("site_day", {"property": "2026-01-31"}),
        ("about__day", {"about": {"day": "2026-01-31"}}),
        ("the_day", {"theDay": "2026-01-31"}),
    ],
)
def test_a_day_is_found_where_the_column_comes_from(column: str, fields: Any) -> None:
    policy: PolicyEntry = {
        "load": BY_DAY,
        "date_column": column,
        "rename": {"property": "site_day"},
    }
    said, _ = look(giving([{"id": 1, **fields}]), policy)
    assert said.endswith("none of them outside of that")


def test_what_is_new_is_asked_for_as_a_first_load_does() -> None:
    said, server = look(giving(rows_of(DAYS)), {"load": WHAT_IS_NEW})
    assert said == "3 rows on the first page for updated_since=2026-01-01T00:00:00Z"
    assert server.asked[0].query["updated_since"] == "2026-01-01T00:00:00Z"


def test_a_field_of_what_is_new_that_no_row_has_is_named() -> None:
    said = complaint(giving([{"id": 1, "changed": "2026-01-31"}]), {"load": WHAT_IS_NEW})
    assert "none has a value in `updated_at`: set `field` of `Incremental`" in said
    assert said.endswith("Their fields are `id`, `changed`.")


def test_a_field_of_what_is_new_may_be_a_path() -> None:
    load = Incremental(field="about.changed", initial_value="2026-01-01")
    said, _ = look(giving([{"id": 1, "about": {"changed": "2026-01-31"}}]), {"load": load})
    assert said.startswith("1 rows on the first page")


def test_all_that_is_missing_is_said_at_once() -> None:
    said = complaint(giving([{"uuid": 1}]), {"load": BY_DAY})
    assert "in `id`" in said
    assert "in `date`" in said


def test_of_a_child_the_rows_of_one_page_of_its_parent_are_looked_at() -> None:
    def answer(asked: Asked) -> Answer:
        if asked.path == "/orders":
            offset = asked.number("offset")
            return Answer({"data": [{"id": offset}, {"id": offset + 1}], "total": 100})
        return Answer({"data": [{"line": asked.path}], "total": 1})

    lines = {
        "name": "lines",
        "primary_key": ["_orders_id", "line"],
        "include_from_parent": ["id"],
        "endpoint": {"path": "/orders/{resources.orders.id}/lines", "data_selector": "data"},
    }
    with serving(answer) as server:
        config: Any = {"client": {"base_url": server.base_url}, "resources": [orders(), lines]}
        api = Api(name="shop", config=config)
        said = describe_first_page(
            resource_of(api, "lines"), connect(config["client"], "shop"), NOW
        )
        assert said == "2 rows on the first page"
        assert len(server.asked) == 3
