"""Loads that contradict the entry of their resource are refused."""

from datetime import date
from typing import Any

import dlt
import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.errors import ConfigurationError
from analytics_assets.config.load import Full, Incremental, Load, Partitioned
from analytics_assets.config.times.window import Window

BY_DAY = Partitioned(start=date(2026, 1, 1))
CHANGED_ROWS = Incremental(initial_value="2026-01-01")
CURSOR = {"cursor_path": "day", "initial_value": "2026-01-01", "start_param": "from"}


def api_of(load: Load, entry: Any = None, **policy: Any) -> Api:
    merged = {"name": "orders", "primary_key": "id", "write_disposition": "merge"}
    config = {
        "client": {"base_url": "https://api.example.com"},
        "resources": [entry or merged],
    }
    return Api(name="shop", config=config, policies={"orders": {"load": load, **policy}})  # type: ignore[typeddict-item]


@pytest.mark.parametrize("load", [Full(), BY_DAY, CHANGED_ROWS])
def test_a_merged_resource_takes_each_kind_of_load(load: Load) -> None:
    assert api_of(load).resources["orders"].policy.load == load


@pytest.mark.parametrize("load", [BY_DAY, CHANGED_ROWS])
@pytest.mark.parametrize(
    "disposition", ["append", "replace", {"disposition": "merge", "strategy": "scd2"}]
)
def test_a_load_of_a_part_of_the_rows_needs_a_merge(load: Load, disposition: Any) -> None:
    entry = {"name": "orders", "primary_key": "id", "write_disposition": disposition}
    with pytest.raises(ConfigurationError, match=r"policy of `orders`.*not merged"):
        api_of(load, entry)


@pytest.mark.parametrize(("load", "param"), [(BY_DAY, "end_date"), (CHANGED_ROWS, "updated_since")])
def test_a_parameter_of_the_load_is_refused_in_the_entry(load: Load, param: str) -> None:
    entry = {
        "name": "orders",
        "primary_key": "id",
        "write_disposition": "merge",
        "endpoint": {"params": {param: "2026-01-01"}},
    }
    with pytest.raises(ConfigurationError, match=f"sends `{param}`, which is in `params`"):
        api_of(load, entry)


@pytest.mark.parametrize("load", [BY_DAY, CHANGED_ROWS])
def test_an_incremental_cursor_of_the_entry_and_a_load_of_a_part_exclude_each_other(
    load: Load,
) -> None:
    entry = {
        "name": "orders",
        "primary_key": "id",
        "write_disposition": "merge",
        "endpoint": {"incremental": CURSOR},
    }
    with pytest.raises(ConfigurationError, match="`incremental` of its own"):
        api_of(load, entry)


@pytest.mark.parametrize("load", [BY_DAY, CHANGED_ROWS])
def test_a_function_of_dlt_is_loaded_in_full_only(load: Load) -> None:
    orders = dlt.resource([{"id": 1}], name="orders", primary_key="id", write_disposition="merge")
    with pytest.raises(ConfigurationError, match="is a function of dlt"):
        api_of(load, orders)


@pytest.mark.parametrize("load", [BY_DAY, CHANGED_ROWS])
def test_a_load_of_a_part_of_the_rows_is_not_pruned(load: Load) -> None:
    with pytest.raises(ConfigurationError, match=r"`prune` cannot be.*reads a part of the rows"):
        api_of(load, prune=True)


def test_a_function_of_dlt_is_not_pruned() -> None:
    orders = dlt.resource([{"id": 1}], name="orders", primary_key="id", write_disposition="merge")
    with pytest.raises(ConfigurationError, match="`prune` cannot be, as the resource is a funct"):
        api_of(Full(), orders, prune=True)


def test_partitions_need_the_column_with_the_date_of_a_row() -> None:
    with pytest.raises(ConfigurationError, match=r"policy of `orders`.*needs `date_column`"):
        api_of(BY_DAY, date_column=None)


@pytest.mark.parametrize("load", ["partitioned", None, Partitioned])
def test_a_load_of_another_kind_is_refused_with_the_kinds_that_exist(load: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"give Full\(\), Incremental\(...\) or Part"):
        api_of(load)


def test_a_window_without_an_end_is_for_requests_of_one_partition() -> None:
    window = Window(params={"date": "{start}"})
    load = Partitioned(start=date(2026, 1, 1), window=window, longest_window=1)
    assert api_of(load).resources["orders"].policy.load == load
    with pytest.raises(ConfigurationError, match=r"sends the start alone.*`longest_window=1`"):
        Partitioned(start=date(2026, 1, 1), window=window)


PER_DAY = "json.range[0].start", "json.range[0].end"


def by_day(start: str, end: str) -> Partitioned:
    return Partitioned(start=date(2026, 1, 1), window=Window(start_param=start, end_param=end))


def entry_with(**endpoint: Any) -> dict[str, Any]:
    merged = {"name": "orders", "primary_key": "id", "write_disposition": "merge"}
    return {**merged, "endpoint": endpoint}


JSON_OFFSET = {"type": "offset", "limit": 9, "offset_param": "json.page.offset"}


@pytest.mark.parametrize(
    ("load", "endpoint"),
    [
        (by_day(*PER_DAY), {"json": {"range": [{"name": "a"}], "metrics": []}}),
        (by_day("json.a[0]", "json.a[1]"), {"paginator": JSON_OFFSET, "json": {"page": {}}}),
        (by_day("data.a", "data.b"), {"data": {"c": 1}}),
        (by_day("headers.a", "b"), {"data": "raw", "headers": {"B": "1"}}),
        (by_day("params.json.a", "params.json.b"), {"params": {"json.c": 1}}),
        (Full(), {"paginator": JSON_OFFSET, "json": {"page": {"offset": 0}}}),
        (Full(), {"params": {"json.a..b": 1}, "json": {"headers.": {}}}),
    ],
)
def test_places_beside_what_the_entry_has_are_accepted(load: Load, endpoint: Any) -> None:
    assert api_of(load, entry_with(**endpoint)).resources["orders"].policy.load == load


@pytest.mark.parametrize(
    ("load", "endpoint", "reason"),
    [
        (
            by_day("json.a", "json.b"),
            {"json": {"b": None}},
            "the `Partitioned` load sends `json.b`, which is in `json` of the entry, too",
        ),
        (
            by_day("headers.X-From", "json.b"),
            {"headers": {"x-from": "1"}},
            "sends `headers.X-From`, which is in `headers` of the entry, too",
        ),
        (
            Incremental(param="json.a.since", initial_value="2026-01-01"),
            {"json": {"a": 5}},
            "the `Incremental` load writes into `json` of the request: `json.a` is a number, and "
            "not an object with `since`",
        ),
        (
            by_day("json.a[1]", "json.a[2]"),
            {},
            "writes into `json` of the request: the list has 0 elements before it, so that there "
            "would be a gap at [0]",
        ),
        (
            by_day("json.a", "data.b"),
            {},
            "the `Partitioned` load makes a request with both a JSON body and a form",
        ),
        (
            by_day("json.a", "json.b"),
            {"paginator": {"type": "offset", "limit": 9, "limit_param": "json.b"}},
            "the `Partitioned` load and `paginator` both send `json.b`. Give them a parameter each",
        ),
        (
            by_day("offset", "b"),
            {"paginator": {"type": "offset", "limit": 9, "offset_param": "params.offset"}},
            "and `paginator` both send `params.offset`",
        ),
        (
            by_day("json.a", "json.b"),
            {"paginator": {"type": "cursor", "cursor_param": "json.a.after"}},
            "`paginator` writes into `json` of the request: `json.a` is a text",
        ),
    ],
)
def test_places_that_the_entry_has_or_that_exclude_each_other_are_refused(
    load: Load, endpoint: Any, reason: str
) -> None:
    with pytest.raises(ConfigurationError, match=r"^(policy of|resource) `orders`: ") as caught:
        api_of(load, entry_with(**endpoint))
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"json.a..b": 1}, "'json.a..b' in `params`: `a..b` is no path"),
        ({"json.a.b": 1}, "`newest` writes into `json` of the request: `json.a` is a number"),
    ],
)
def test_a_place_of_newest_that_cannot_be_written_is_refused(params: Any, reason: str) -> None:
    newest = {"params": params, "field": "at"}
    with pytest.raises(ConfigurationError) as caught:
        api_of(Full(), entry_with(json={"a": 1}), newest=newest)
    assert reason in str(caught.value)
