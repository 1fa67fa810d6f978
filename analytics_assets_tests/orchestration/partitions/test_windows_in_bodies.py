"""Days by a window in a JSON body: loaded singly, as a backfill, again, and asked by sensors."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.load import Partitioned
from analytics_assets.config.times.window import Window
from analytics_assets.contract.resource import resource_of
from analytics_assets.extract.http.connection import connect
from analytics_assets.extract.sampling.first_rows import count_first_rows
from analytics_assets.orchestration.automation.new_data.changes import newest_read
from analytics_assets.orchestration.partitions.first_request import newest_window, params_of
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.loading import failures_of, table_rows
from analytics_assets_tests.support.paged_server import Answer, Request, serving
from analytics_assets_tests.support.partitioned import load_days

DAYS = [date(2025, 7, 1) + timedelta(days=number) for number in range(4)]
NOW = datetime(2025, 7, 5, 12, tzinfo=UTC)
PAGED = {"type": "offset", "limit": 2, "offset_param": "json.offset", "limit_param": "json.limit"}
TWO = Window(start_param="json.dateRanges[0].startDate", end_param="json.dateRanges[0].endDate")
IN_MILLISECONDS = Window(
    params={"json.filters": [["between", "at", ["{start}", "{end}"]]]},
    format="epoch_milliseconds",
    end_is_inclusive=False,
    timezone="Europe/Berlin",
)
NEWEST = {"params": {"json.orderBy": [{"field": "-at"}], "json.limit": 1}, "field": "at"}


@dataclass
class Reports:
    """An API of reports, whose requests are JSON: three rows a day."""

    rows: list[dict[str, Any]] = field(
        default_factory=lambda: [
            {"id": f"{day}-{number}", "date": str(day), "at": f"{day}T0{number}:00:00Z", "views": 1}
            for day in DAYS
            for number in range(3)
        ]
    )
    bodies: list[Any] = field(default_factory=list)

    def answer(self, asked: Request) -> Answer:
        body = asked.body
        self.bodies.append(body)
        if asked.method != "POST" or asked.query or body["metrics"] != [{"name": "views"}]:
            return Answer({"error": "wrong request"}, status=400)
        rows = [row for row in self.rows if self._in_window(row, body)]
        if "orderBy" in body:
            rows = sorted(rows, key=lambda row: str(row["at"]), reverse=True)
        offset, limit = body.get("offset", 0), body["limit"]
        return Answer({"data": rows[offset : offset + limit], "total": len(rows)})

    @staticmethod
    def _in_window(row: dict[str, Any], body: dict[str, Any]) -> bool:
        if "dateRanges" in body:
            [span] = body["dateRanges"]
            return bool(span["startDate"] <= row["date"] <= span["endDate"])
        if "filters" not in body:
            return True
        [[_, _, [start, end]]] = body["filters"]
        return bool(start <= datetime.fromisoformat(row["at"]).timestamp() * 1000 < end)

    def api(self, url: str, window: Window, **parts: Any) -> Api:
        entry = {
            "name": "reports",
            "primary_key": "id",
            "write_disposition": "merge",
            "endpoint": {
                "path": "/run",
                "method": "POST",
                "json": {"metrics": [{"name": "views"}]},
                "data_selector": "data",
                "paginator": PAGED,
            },
        }
        config = {"client": {"base_url": url}, "resources": [entry]}
        load = Partitioned(start=DAYS[0], window=window, timezone=window.timezone, **parts)
        policy: Any = {"load": load, "date_column": "date", "newest": NEWEST}
        return Api(name="shop", config=config, policies={"reports": policy})


@pytest.fixture
def reports() -> Reports:
    return Reports()


@pytest.fixture
def url(reports: Reports) -> Iterator[str]:
    with serving(reports.answer) as server:
        yield server.base_url


@pytest.mark.parametrize(("window", "longest_window"), [(TWO, 1), (IN_MILLISECONDS, 3)])
def test_days_are_loaded_one_by_one_or_as_a_backfill_and_again(
    reports: Reports,
    url: str,
    window: Window,
    longest_window: int,
    duckdb_warehouse: Warehouse,
    instance: dg.DagsterInstance,
) -> None:
    api = reports.api(url, window, longest_window=longest_window)
    result = load_days(instance, api, *map(str, DAYS))
    assert failures_of(result) == {}
    assert table_rows(duckdb_warehouse, "reports") == reports.rows

    for row in reports.rows:
        row["views"] = 2
    assert load_days(instance, api, *map(str, DAYS[-2:])).success  # as a schedule with a lookback
    views = {row["date"]: row["views"] for row in table_rows(duckdb_warehouse, "reports")}
    assert list(views.values()) == [1, 1, 2, 2]
    sent = [str(body.get("dateRanges") or body["filters"]) for body in reports.bodies]
    assert len(set(sent)) == (4 if longest_window == 1 else 3)


def test_a_sensor_and_an_observation_ask_for_the_window_of_a_load(
    reports: Reports, url: str
) -> None:
    api = reports.api(url, TWO, lookback=1)
    resource, connection = resource_of(api, "reports"), connect(api.config["client"], "shop")
    read = newest_read(resource, ["2025-07-02", "2025-07-03"], connection)
    newest = read.fetch(connection)
    assert newest == datetime(2025, 7, 3, 2, tzinfo=UTC)
    assert reports.bodies == [
        {
            "metrics": [{"name": "views"}],
            "dateRanges": [{"startDate": "2025-07-02", "endDate": "2025-07-03"}],
            "orderBy": [{"field": "-at"}],
            "limit": 1,
        }
    ]
    params = params_of(resource, newest_window(resource, NOW))
    assert count_first_rows(resource, connection, params) == 1
    assert reports.bodies[1] == {
        "metrics": [{"name": "views"}],
        "dateRanges": [{"startDate": "2025-07-03", "endDate": "2025-07-04"}],
        "offset": 0,
        "limit": 1,
    }


def test_an_api_that_ignores_a_body_fails_the_load_with_the_places_and_the_method(
    reports: Reports, url: str, duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    api = reports.api(url, Window(start_param="json.from", end_param="json.to"))
    [reason] = failures_of(load_days(instance, api, "2025-07-01")).values()
    assert "9 of the 12 rows for json.from=2025-07-01, json.to=2025-07-01" in reason
    assert "the API seems to ignore `json.from` and `json.to`" in reason
    assert 'the entry mostly needs `"method": "POST"`' in reason
