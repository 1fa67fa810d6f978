"""Dagster's OpenLineage plugin sends the schema and the lineage of columns to a receiver."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from analytics_assets_tests.conftest import ROOT
from analytics_assets_tests.e2e.downstream.tools import OPENLINEAGE
from analytics_assets_tests.support.project import copy_project

# a run of two tables and of the mart, an event without a run, and the ticks of the sensor
LOAD = """
import dagster as dg
from analytics_assets.definitions import definitions

project = definitions()
keys = [["analytics", "page_views"], ["analytics", "daily_active_users"]]
keys = [dg.AssetKey(key) for key in (*keys, ["example_mart", "daily_traffic"])]
sensor = project.resolve_sensor_def("openlineage_sensor")
with dg.DagsterInstance.get() as instance:
    job = project.resolve_implicit_global_asset_job_def()
    assert job.execute_in_process(instance=instance, asset_selection=keys).success
    late = dg.AssetCheckEvaluation(keys[0], "newest_data", passed=False)  # as `housekeeping` does
    instance.report_runless_asset_event(late)
    cursor = None
    while True:
        context = dg.build_sensor_context(instance, cursor=cursor)
        sensor.evaluate_tick(context)
        if context.cursor == cursor:
            break
        cursor = context.cursor
"""


def example(language: str) -> str:
    """Return the example of the documentation."""
    part = (ROOT / "docs" / "downstream.md").read_text().partition("\n## OpenLineage\n")[2]
    [found] = re.findall(rf"```{language}\n(.*?)```", part, re.S)
    return str(found)


@contextmanager
def receiver() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server that takes OpenLineage's events, as Marquez does."""
    events: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/api/v1/lineage"
            events.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(201)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", events
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.usefixtures("duckdb_warehouse")
def test_columns_and_their_lineage_from_endpoint_to_mart_reach_a_receiver(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATASET_NAME")
    place = tmp_path / "project"
    folder = copy_project(place).with_name("openlineage")
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "sensor.py").write_text(example("python"))
    (place / "dagster.yaml").write_text(example("yaml"))

    with receiver() as (url, events):
        done = subprocess.run(
            [sys.executable, "-c", LOAD],
            cwd=place,
            env={
                **os.environ,
                "DAGSTER_HOME": str(place),
                "PYTHONPATH": f"{place}:{OPENLINEAGE}",
                "OPENLINEAGE_URL": url,
                "OPENLINEAGE_NAMESPACE": "warehouse",
            },
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
    assert done.returncode == 0, done.stderr

    tables = {
        output["name"]: output["facets"]
        for event in events
        if event.get("eventType") == "COMPLETE"
        for output in event.get("outputs", ())
    }
    views, mart = tables["analytics/page_views"], tables["example_mart/daily_traffic"]
    columns = {field["name"]: field["type"] for field in views["schema"]["fields"]}
    assert columns["page_views"] == "bigint"
    assert origins(views, "page_views") == [("web_api/analytics/page_views", "page_views")]
    assert set(origins(mart, "views_per_user")) == {
        ("analytics/page_views", "page_views"),
        ("analytics/daily_active_users", "active_users"),
    }


def origins(facets: dict[str, Any], column: str) -> list[tuple[str, str]]:
    """Return the columns that a column comes from, each with its dataset."""
    fields = facets["columnLineage"]["fields"][column]["inputFields"]
    assert {each["namespace"] for each in fields} == {"warehouse"}
    return [(each["name"], each["field"]) for each in fields]
