import secrets
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel

from analytics_assets.config.api import Api
from analytics_assets.config.errors import find_cause
from analytics_assets.config.policy import NewestRequest
from analytics_assets.contract.resource import resource_of
from analytics_assets.extract.http.connection import connect
from analytics_assets.extract.http.errors import ApiError
from analytics_assets.extract.sampling.watermark import NewestRead, WatermarkError, fetch_newest
from analytics_assets.sandbox import sandbox_rows
from analytics_assets_tests.conftest import TODAY
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.paged_server import Answer, in_turn, serving
from analytics_assets_tests.support.sandbox import Sandbox

NEWEST = NewestRequest(params={"sort": "-updated_at", "limit": 1}, field="updated_at")
MOMENT = datetime(2025, 7, 31, 12, 30, tzinfo=UTC)
EXTRA: dict[str, list[dict[str, Any]]] = {
    "empty": [],
    "without_field": [{"id": 1}],
    "zulu": [{"updated_at": "2025-07-31T12:30:00Z"}],
    "eastern": [{"updated_at": "2025-07-31T14:30:00+02:00"}],
    "without_zone": [{"updated_at": "2025-07-31T12:30:00"}],
    "seconds": [{"updated_at": MOMENT.timestamp()}],
    "compact": [{"updated_at": 202507311230}],
    "text": [{"updated_at": f"{MOMENT.timestamp():.0f}000"}],
    "nested": [{"meta": {"changed": "2025-07-31T12:30:00Z"}}],
    "word": [{"updated_at": "yesterday"}],
    "null": [{"updated_at": None}],
    "list": [{"updated_at": ["2025-07-31"]}],
    "truth": [{"updated_at": True}],
    "unsorted": [
        {"updated_at": "2025-07-30T00:00:00Z"},
        {"updated_at": "2025-07-31T12:30:00Z"},
        {"updated_at": "2025-07-29T00:00:00Z"},
    ],
}


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    client_id = secrets.token_hex(8)
    with Sandbox(today=TODAY, client_id=client_id, extra_rows=EXTRA) as running:
        yield running


@pytest.fixture
def api(shared: Sandbox) -> Iterator[Sandbox]:
    """The module's API, with nothing wrong before or after."""
    yield shared
    shared.faults.clear()


def client_of(api: Sandbox, path: str = "") -> dict[str, Any]:
    auth = {
        "type": "oauth2",
        "token_url": api.token_url,
        "client_id": api.client_id,
        "client_secret": api.client_secret,
    }
    return {"base_url": f"{api.base_url}{path}", "auth": auth}


def newest(
    api: Sandbox,
    resource: str,
    request: NewestRequest = NEWEST,
    form: str = "",
    of_entry: Mapping[str, Any] | None = None,
    **endpoint: Any,
) -> datetime | None:
    usual = {"path": f"/v1/{resource}", "data_selector": "data"}
    paginator = {"type": "offset", "limit": 100}
    given = {**usual, "paginator": paginator, **endpoint}
    entry = {"name": resource, **(of_entry or {}), "endpoint": given}
    config: dict[str, Any] = {"client": client_of(api), "resources": [entry]}
    formats = {request["field"]: form} if form else {}
    shop = Api(name="shop", config=config, policies={resource: {"time_formats": formats}})
    return fetch_newest(resource_of(shop, resource), request, connect(config["client"], "shop"))


def queries(api: Sandbox, resource: str) -> list[dict[str, str]]:
    return [sent.query for sent in api.requests if sent.path == f"/v1/{resource}"]


@pytest.mark.parametrize("resource", ["page_views", "traffic_sources"])
def test_the_newest_time_takes_one_request_for_one_row(api: Sandbox, resource: str) -> None:
    last = max(row["updated_at"] for row in sandbox_rows(resource, TODAY))

    assert newest(api, resource) == datetime.fromisoformat(last)
    assert queries(api, resource) == [{"sort": "-updated_at", "limit": "1"}]


def test_an_endpoint_without_rows_has_no_newest_time(api: Sandbox) -> None:
    assert newest(api, "empty") is None


def test_an_entry_that_is_only_a_name_has_a_newest_time(api: Sandbox) -> None:
    config: dict[str, Any] = {
        "client": client_of(api, "/v1"),
        "resource_defaults": {"endpoint": {"data_selector": "data"}},
        "resources": ["zulu"],
    }
    zulu = resource_of(Api(name="shop", config=config), "zulu")

    assert fetch_newest(zulu, NEWEST, connect(config["client"], "shop")) == MOMENT


def test_the_newest_of_several_rows_counts(api: Sandbox) -> None:
    request = NewestRequest(params={"limit": 3}, field="updated_at")

    assert newest(api, "unsorted", request) == MOMENT


@pytest.fixture
def far_from_greenwich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run in a local time zone that is not UTC."""
    with monkeypatch.context() as zone:
        zone.setenv("TZ", "UTC+9")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("far_from_greenwich")
@pytest.mark.parametrize("resource", ["zulu", "eastern", "without_zone"])
def test_a_time_is_understood_however_it_is_written(api: Sandbox, resource: str) -> None:
    found = newest(api, resource)

    assert found == MOMENT
    assert found.tzinfo is UTC


@pytest.mark.usefixtures("far_from_greenwich")
@pytest.mark.parametrize(
    ("resource", "form"),
    [("seconds", "epoch_seconds"), ("compact", "%Y%m%d%H%M"), ("text", "epoch_milliseconds")],
)
def test_a_time_in_a_stated_format_is_read_by_it(api: Sandbox, resource: str, form: str) -> None:
    assert newest(api, resource, form=form) == MOMENT


def test_a_time_in_another_than_the_stated_format_is_refused(api: Sandbox) -> None:
    with pytest.raises(WatermarkError, match="not in the format `epoch_seconds`"):
        newest(api, "zulu", form="epoch_seconds")


def test_the_field_may_be_a_path(api: Sandbox) -> None:
    assert newest(api, "nested", NewestRequest(params={}, field="meta.changed")) == MOMENT


@pytest.mark.parametrize("resource", ["without_field", "word", "null", "list", "seconds", "truth"])
def test_a_row_without_a_time_is_refused_with_the_field_and_the_remedy(
    api: Sandbox, resource: str
) -> None:
    with pytest.raises(WatermarkError) as failure:
        newest(api, resource)

    assert str(failure.value).startswith(f"{resource}: `updated_at` in the API's newest row is ")
    assert "Correct `newest` in the resource's policy" in str(failure.value)


@pytest.mark.parametrize("status", [404, 503])
def test_an_error_of_the_api_is_the_cause_of_the_failure(api: Sandbox, status: int) -> None:
    api.faults.add(Fault(path="/v1/zulu", status=status, times=None))

    with pytest.raises(Exception, match="zulu") as failure:
        newest(api, "zulu")

    assert f"the API answered {status}" in str(find_cause(failure.value, ApiError))


WINDOW = {"cursor_path": "updated_at", "initial_value": "2025-07-30T00:00:00Z"}


@pytest.mark.parametrize(
    "endpoint",
    [
        {"incremental": {**WINDOW, "start_param": "updated_since"}},
        {"params": {"updated_since": {"type": "incremental", **WINDOW}}},
        {"incremental": WINDOW, "params": {"updated_since": "{incremental.start_value}"}},
        {"incremental": WINDOW, "json": {"a": [{"since": "{incremental.start_value}"}, {}]}},
        {"incremental": WINDOW, "headers": {"X-Since": "{incremental.start_value}"}},
    ],
)
def test_the_window_of_a_load_does_not_narrow_the_request(
    api: Sandbox, endpoint: dict[str, Any]
) -> None:
    before = len(queries(api, "website_overview"))
    last = max(row["updated_at"] for row in sandbox_rows("website_overview", TODAY))

    assert newest(api, "website_overview", **endpoint) == datetime.fromisoformat(last)
    assert queries(api, "website_overview")[before:] == [{"sort": "-updated_at", "limit": "1"}]


def test_the_parameters_of_newest_take_precedence_over_those_of_the_endpoint(api: Sandbox) -> None:
    before = len(queries(api, "zulu"))

    newest(api, "zulu", params={"limit": 50, "country": "DE"})

    asked = [{"limit": "1", "country": "DE", "sort": "-updated_at"}]
    assert queries(api, "zulu")[before:] == asked


class Order(BaseModel):
    """A row as `columns` of an entry may describe it."""

    updated_at: datetime


def test_rows_are_those_that_a_model_in_columns_makes(api: Sandbox) -> None:
    with pytest.raises(WatermarkError):
        newest(api, "seconds")
    assert newest(api, "seconds", of_entry={"columns": Order}) == MOMENT


def test_rows_are_those_after_the_steps_of_the_entry(api: Sandbox) -> None:
    def step(row: dict[str, Any]) -> dict[str, Any]:
        return {"updated_at": row["meta"]["changed"]}

    steps = [{"map": step}, {"filter": lambda row: row["updated_at"] is not None}]
    assert newest(api, "nested", of_entry={"processing_steps": steps}) == MOMENT


def test_a_resource_that_dlt_reads_in_threads_has_a_newest_time(api: Sandbox) -> None:
    assert newest(api, "zulu", of_entry={"parallelized": True}) == MOMENT


def test_what_an_answer_shows_of_a_resource_is_forgotten_by_the_next_read() -> None:
    answers = in_turn(
        Answer({"orders": [{"updated_at": "2025-07-31T12:30:00Z"}]}),
        Answer({"others": [{"updated_at": "2025-07-31T12:30:00Z"}]}),
        Answer({"meta": {}}),
    )
    with serving(answers) as server:
        entry = {"name": "orders", "endpoint": {"path": "orders"}}
        config: Any = {"client": {"base_url": server.base_url}, "resources": [entry]}
        orders = resource_of(Api(name="shop", config=config), "orders")
        connection = connect(config["client"], "shop")
        read = NewestRead(orders, NEWEST, connection)
        assert [read.fetch(connection), read.fetch(connection)] == [MOMENT, MOMENT]
        with pytest.raises(WatermarkError):
            read.fetch(connection)
    assert [asked.query for asked in server.requests] == [{"sort": "-updated_at", "limit": "1"}] * 3
