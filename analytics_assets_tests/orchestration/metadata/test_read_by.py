"""The parts of a configuration that decide which rows are read, and by which key."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import dlt
import pytest
from dlt.sources import incremental

from analytics_assets.config.api import Api
from analytics_assets.config.load import Full, Partitioned
from analytics_assets.config.resource import ResourceConfig
from analytics_assets.config.times.window import Window
from analytics_assets.orchestration.metadata.read_by import changed_parts, read_by

PARAMS = {"currency": "USD", "fields": "id,amount"}
ENTRY: Mapping[str, Any] = {
    "name": "orders",
    "primary_key": ["id", "date"],
    "write_disposition": "merge",
    "endpoint": {"path": "orders", "params": PARAMS},
}
BASE = "https://api.example.com/v1"


def resource(
    endpoint: Mapping[str, Any] | None = None,
    client: Mapping[str, Any] | None = None,
    load: Any = None,
    **entry: Any,
) -> ResourceConfig:
    """Return `orders` with some parts changed."""
    changed = {**ENTRY, **entry, "endpoint": {**ENTRY["endpoint"], **(endpoint or {})}}
    config = {"client": {"base_url": BASE, **(client or {})}, "resources": [changed]}
    api = Api(name="shop", config=config, policies={"orders": {"load": load or Full()}})
    return api.resources["orders"]


def test_the_parts_are_texts_by_their_names() -> None:
    assert read_by(resource({"json": {"filter": {"b": 1, "a": [2]}}})) == {
        "primary_key": "date, id",
        "path": "v1/orders",
        "method": "GET",
        "params.currency": "USD",
        "params.fields": "id,amount",
        "json.filter": '{"a": [2], "b": 1}',
    }


@pytest.mark.parametrize(
    ("changed", "parts"),
    [
        (resource(primary_key="id"), ["primary_key"]),
        (resource({"path": "invoices"}), ["path"]),
        (resource({"path": "orders:search"}), ["path"]),
        (resource(client={"base_url": "https://api.example.com/v2"}), ["path"]),
        (resource({"method": "POST"}), ["method"]),
        (resource({"params": {**PARAMS, "currency": "EUR"}}), ["params.currency"]),
        (resource({"params": {"currency": "USD"}}), ["params.fields"]),
        (resource({"params": {**PARAMS, "status": "paid"}}), ["params.status"]),
        (resource({"json": {"metrics": ["sessions"]}}), ["json.metrics"]),
        (resource({"path": "orders?status=paid"}), ["params.status"]),
        (resource({"path": "orders?by=day&by=month"}), ["params.by"]),
        (resource({"data": "status=paid"}), ["data.status"]),
        (resource({"data": '{"status": "paid"}'}), ["data.status"]),
        (resource({"data": "<status>paid</status>"}), ["data"]),
    ],
)
def test_what_decides_on_the_rows_is_a_change(changed: ResourceConfig, parts: list[str]) -> None:
    assert changed_parts(read_by(resource()), read_by(changed)) == parts


@pytest.mark.parametrize(
    "changed",
    [
        resource(primary_key=["date", "id"]),
        resource({"params": dict(reversed(PARAMS.items()))}),
        resource({"params": {**PARAMS, "per_page": 100, "limit": 5, "sort": "-date"}}),
        resource({"params": {**PARAMS, "orderBys": ["date"], "ordering": "-date"}}),
        resource({"params": {**PARAMS, "api_key": "sk-hunter2-hunter2"}}),
        resource({"path": "/orders/"}),
        resource({"path": f"{BASE}/orders"}),
        resource({"path": "v1/orders"}, {"base_url": "https://api.example.com"}),
        resource(client={"base_url": "https://eu.example.com/v1/"}),
        resource(client={"base_url": "https://me:hunter2hunter2@api.example.com/v1"}),
        resource(client={"headers": {"X-Trace": "on"}, "auth": {"type": "bearer", "token": "abc"}}),
        resource({"paginator": {"type": "offset", "limit": 500}, "data_selector": "data"}),
        resource({"headers": {"X-Trace": "on"}}),
        resource(table_name="sales", columns={"id": {"data_type": "text"}}),
        resource(load=Partitioned(start=date(2026, 1, 1), longest_window=7)),
    ],
)
def test_what_does_not_is_none(changed: ResourceConfig) -> None:
    assert changed_parts(read_by(resource()), read_by(changed)) == []


@pytest.mark.parametrize(
    ("day", "later"),
    [
        ("2026-01-01", "2026-01-02"),
        ("2026-01-01T00:00:00Z", "2026-02-11T12:30:00.5+01:00"),
        ("created:>=2026-01-01 AND paid", "created:>=2026-01-02 AND paid"),
        ("20260101", "20260228"),
        ("2026-01", "2026-12"),
        ({"from": "2026-01-01 00:00"}, {"from": "2026-01-02 00:00"}),
        (incremental("updated", initial_value="a"), incremental("updated", initial_value="b")),
        (
            {"type": "incremental", "cursor_path": "updated", "initial_value": 1},
            {"type": "incremental", "cursor_path": "updated", "initial_value": 2},
        ),
    ],
)
def test_a_day_that_moves_is_no_change(day: Any, later: Any) -> None:
    asked = [read_by(resource({"params": {"since": each}})) for each in (day, later)]
    assert "params.since" in asked[0]
    assert changed_parts(*asked) == []


def test_an_id_with_digits_as_of_a_date_is_none() -> None:
    ids = ("2026-01-7", "2026-13-01", "2026-01-015", "12026-01", "120260101", "20261301")
    asked = [read_by(resource({"params": {"account": each}})) for each in ids]
    assert [each["params.account"] for each in asked] == [*ids]


def test_each_value_of_a_name_counts() -> None:
    paths = ("orders?by=day&by=month", "orders?by=week&by=month")
    asked = [read_by(resource({"path": path})) for path in paths]
    assert changed_parts(*asked) == ["params.by"]


def test_a_path_with_a_colon_is_one() -> None:
    assert read_by(resource({"path": "orders:search?a=b"}))["path"] == "v1/orders:search"


def test_a_window_that_asks_for_other_days_is_a_change() -> None:
    before = Partitioned(start=date(2026, 1, 1))
    exclusive = Partitioned(start=date(2026, 1, 1), window=Window(end_is_inclusive=False))
    later = Partitioned(start=date(2026, 2, 1), lookback=9, max_drop=0.1)
    asked = [read_by(resource(load=each)) for each in (before, exclusive, later)]
    assert changed_parts(asked[0], asked[1]) == ["window"]
    assert changed_parts(asked[0], asked[2]) == []


@pytest.mark.parametrize("form", ["%Y-%m-%d", "epoch_seconds"])
def test_days_of_another_time_zone_are_a_change(form: Any) -> None:
    def zoned(zone: str) -> dict[str, str]:
        window = Window(timezone=zone if form != "epoch_seconds" else "UTC", format=form)
        return read_by(
            resource(load=Partitioned(start=date(2026, 1, 1), timezone=zone, window=window))
        )

    changed = changed_parts(zoned("UTC"), zoned("Pacific/Auckland"))
    assert changed == (["timezone"] if form != "epoch_seconds" else ["window", "timezone"])
    assert changed_parts(read_by(resource()), zoned("Pacific/Auckland")) == []


def test_a_child_is_read_from_its_parents() -> None:
    def child(path: str) -> ResourceConfig:
        lines = {"name": "lines", "endpoint": "orders/{resources.orders.id}/lines"}
        orders = {"name": "orders", "endpoint": {"path": path}}
        config = {"client": {"base_url": BASE}, "resources": [orders, lines]}
        return Api(name="shop", config=config).resources["lines"]

    before, after = read_by(child("orders")), read_by(child("invoices"))
    assert before["path"] == "v1/orders/{resources.orders.id}/lines"
    assert changed_parts(before, after) == ["orders.path"]


def test_no_secret_is_a_part_of_it() -> None:
    secret, other = "sk_live_51HunterTwo99", "sk_live_52HunterTwo88"
    parts = read_by(
        resource(
            {
                "path": f"orders?token={secret}",
                "params": {"key": secret, "note": secret},
                "json": {"login": {"password": secret}, "account": dlt.config.value},
            },
            {"auth": {"type": "bearer", "token": secret}},
        )
    )
    assert "HunterTwo" not in str(parts)
    assert "dlt.config.value" in parts["json.account"]
    changed = read_by(resource({"json": {"login": {"password": other}}}))
    assert changed["json.login"] == parts["json.login"]


def test_a_secret_of_the_client_that_a_parameter_repeats_is_none() -> None:
    def keyed(key: str) -> ResourceConfig:
        auth = {"type": "api_key", "api_key": key, "name": "X-Api-Key"}
        return resource({"params": {"app": key}}, {"auth": auth})

    before, after = read_by(keyed("HunterTwo-1")), read_by(keyed("HunterTwo-2"))
    assert before["params.app"] == "***"
    assert changed_parts(before, after) == []


@pytest.mark.parametrize(
    "endpoint",
    [
        {"data": "password=HunterTwo&status=paid"},
        {"data": "<password>HunterTwo</password>"},
        {"data": '<login token="a">HunterTwo</login>&amp;b=c'},
        {"json": {"query": 'query { orders(token: "HunterTwo") }'}},
        {"path": "bot7351964:AA-HunterTwo-Xyz99abc/orders"},
    ],
)
def test_what_may_be_a_secret_is_kept_as_its_hash_or_not_at_all(endpoint: Any) -> None:
    assert "HunterTwo" not in str(read_by(resource(endpoint)))


def test_a_long_value_is_kept_as_its_hash() -> None:
    many = ",".join(map(str, range(1000)))
    parts = [read_by(resource({"params": {"ids": ids}})) for ids in (many, many, f"{many},1000")]
    assert len(parts[0]["params.ids"]) == 64
    assert changed_parts(parts[0], parts[1]) == []
    assert changed_parts(parts[0], parts[2]) == ["params.ids"]
