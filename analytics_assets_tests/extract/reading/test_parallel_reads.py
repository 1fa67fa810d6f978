"""Resources of one source that are read at the same time."""

import threading
from typing import Any

import dlt
import pytest
import requests
from dlt.sources.helpers.rest_client.auth import AuthConfigBase

from analytics_assets.extract.paging import parallel_reads
from analytics_assets.extract.source import rest_api_source
from analytics_assets_tests.extract.reading.resources import (
    EACH,
    NAMES,
    Together,
    entries,
    entry,
    in_turn,
    paths,
)
from analytics_assets_tests.extract.rows.reading import metrics_of
from analytics_assets_tests.support.paged_server import (
    Answer,
    PagedServer,
    Read,
    Request,
    drain,
    orders,
    paged,
    rows,
    serving,
    source_of,
)


def test_the_resources_of_a_source_are_read_at_the_same_time() -> None:
    with serving(Together(*NAMES)) as server:
        attempt = drain(source_of(server, *entries(*NAMES)))

    assert not attempt.error
    assert sorted(attempt.numbers) == sorted([*range(6)] * 4)


def test_a_resource_that_is_not_parallelized_is_read_alone() -> None:
    together = Together("orders", "visits")
    with serving(together) as server:
        alone = entry("refunds", {"parallelized": False})
        attempt = drain(source_of(server, entry("orders"), alone, entry("visits")))

    assert len(attempt.rows) == 18
    assert in_turn(server).index("refunds") == len(in_turn(server)) - 1


def test_the_default_of_resources_may_be_to_be_read_alone() -> None:
    with serving(paged(EACH)) as server:
        config: Any = {
            "client": {"base_url": server.base_url},
            "resource_defaults": {"parallelized": False},
            "resources": entries(*NAMES),
        }
        assert len(drain(rest_api_source(config, "shop")).rows) == 24

    assert in_turn(server) == list(NAMES)


def test_as_many_resources_are_read_at_once_as_dlt_has_workers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EXTRACT__WORKERS", "2")
    with serving(paged(EACH)) as server:
        assert len(drain(source_of(server, *entries(*NAMES))).rows) == 24

    begun, ended = set[str](), set[str]()
    for asked in server.requests:
        begun.add(asked.path)
        assert len(begun - ended) <= 2
        if asked.number("offset") == 4:
            ended.add(asked.path)
    assert len(ended) == len(NAMES)


def test_an_extraction_that_is_left_open_holds_up_no_other() -> None:
    with serving(paged(EACH)) as server:
        resources = source_of(server, entry("orders", {"parallelized": False})).resources
        left = iter(resources["orders"])
        assert next(left)
        assert len([*resources["orders"]]) == 6
        assert len([*left]) == 5


def test_few_reads_are_open_until_their_rows_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXTRACT__WORKERS", "1")
    with serving(paged(EACH)) as server:
        items = iter(source_of(server, *entries("orders", "refunds")))
        assert next(items)
        assert set(paths(server)) == {"orders"}
        assert len([*items]) == 11


class ThreadNames(AuthConfigBase):
    """Signs nothing, and keeps the names of the threads that prepare requests."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.resolve()

    def __deepcopy__(self, memo: object) -> "ThreadNames":
        return self

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        self.found.append(threading.current_thread().name)
        return request


def threads_of(*names: str) -> set[str]:
    with serving(paged(EACH)) as server:
        seen = ThreadNames()
        config: Any = {
            "client": {"base_url": server.base_url, "auth": seen},
            "resources": entries(*names),
        }
        assert drain(rest_api_source(config, "shop")).rows
    return set(seen.found)


def test_a_single_resource_is_read_without_a_thread() -> None:
    assert threads_of("orders") == {threading.current_thread().name}


def test_several_resources_are_read_in_threads_of_their_own() -> None:
    assert threading.current_thread().name not in threads_of("orders", "refunds")


def test_dlt_takes_no_item_while_another_thread_imports_arrow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    threads: list[threading.Thread] = []
    monkeypatch.setattr(
        parallel_reads, "import_arrow", lambda: threads.append(threading.current_thread())
    )
    with serving(paged(EACH)) as server:
        items = iter(source_of(server, *entries("orders", "refunds")))
        assert next(items)
        assert threads == [threading.current_thread()] * 2
        assert len([*items]) == 11


class OneAtATime(requests.Session):
    """A session that refuses to be used by two threads at once."""

    def __init__(self) -> None:
        super().__init__()
        self._used = threading.Lock()

    def send(self, request: requests.PreparedRequest, **settings: Any) -> requests.Response:
        assert self._used.acquire(blocking=False), "another thread uses the session"
        try:
            return super().send(request, **settings)
        finally:
            self._used.release()


def read_by_session(server: PagedServer, *given: dict[str, Any]) -> Read:
    config: Any = {
        "client": {"base_url": server.base_url, "session": OneAtATime()},
        "resources": list(given),
    }
    return drain(rest_api_source(config, "shop"))


def test_a_session_of_the_users_is_used_by_one_resource_after_another() -> None:
    with serving(paged(EACH)) as server:
        assert len(read_by_session(server, *entries(*NAMES)).rows) == 24
    assert in_turn(server) == list(NAMES)


def test_a_session_of_the_users_is_used_by_one_thread_at_a_time_for_children() -> None:
    path = "/orders/{resources.orders.id}/lines"
    lines = {**entry("lines", {"parallelized": True}), "endpoint": {**orders()["endpoint"]}}
    lines["endpoint"]["path"] = path
    with serving(paged(EACH)) as server:
        attempt = read_by_session(server, entry("orders"), lines)
    assert len(attempt.rows) == 6 + 36


def test_a_resource_of_many_pages_does_not_starve_one_of_few(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("READING__MAX_IN_FLIGHT", "2")
    monkeypatch.setenv("READING__ADAPTIVE", "false")
    long, short = paged(rows(*range(160))), paged(EACH)
    together = Together("orders", "refunds")

    def answer(asked: Request) -> Answer:
        together(asked)
        return (long if asked.path == "/orders" else short)(asked)

    with serving(answer) as server:
        assert len(drain(source_of(server, *entries("orders", "refunds"))).rows) == 166
    assert paths(server).index("orders") < 2
    assert "refunds" not in paths(server)[40:]


@pytest.mark.usefixtures("duckdb_warehouse")
def test_resources_that_are_read_at_the_same_time_become_columns() -> None:
    day = {"at": "2026-01-01T00:00:00Z", "parts": [{"size": 1}], "place": {"town": "Bern"}}
    names, found = NAMES[:3], [{**each, **day} for each in EACH]
    pipeline = dlt.pipeline("parallel", destination="duckdb", dataset_name="parallel")
    with serving(Together(*names, then=found)) as server:
        source = source_of(server, *entries(*names))
        pipeline.run(source, loader_file_format="parquet")

    for name in names:
        counts = metrics_of(pipeline, name)
        assert counts["pages_typed"] == 3
        assert counts["reads"] == 1
    with pipeline.sql_client() as client:
        for name in names:
            assert client.execute_sql(
                f"SELECT sum(o.id), count(DISTINCT o.at), max(o.place__town), sum(p.size) "
                f"FROM {name} o JOIN {name}__parts p ON p._dlt_parent_id = o._dlt_id"
            ) == [(15, 1, "Bern", 6)]
