"""The commands `state export` and `state import`."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from analytics_assets.cli.instance import open_instance
from analytics_assets.defs.analytics.api import API
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.warehouse.queries.stored_state import state_of_resource
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.cli.conftest import Invoke
from analytics_assets_tests.support.loading import change
from analytics_assets_tests.support.sandbox import Sandbox

SOURCES, USERS, VIEWS = "traffic_sources", "daily_active_users", "page_views"
# edits of an exported file, each with a part of the refusal
UNFIT: Sequence[tuple[str, dict[str, Any], str]] = (
    (SOURCES, {"load": "full"}, "its kind of load is 'partitioned' here, and 'full' in"),
    (SOURCES, {"timezone": "Asia/Tokyo"}, "its time zone of partitions is 'UTC' here"),
    (SOURCES, {"by": "month"}, "its length of a partition is 'day' here, and 'month'"),
    (USERS, {"primary_key": ["name"]}, "its primary key is ['id'] here, and ['name'] in"),
    (USERS, {"rows": {USERS: 10_000}}, "of 10,000 rows that it had at the export"),
    (USERS, {"rows": None}, "was changed by hand, or is damaged"),
    (USERS, {"extra": 1}, "was changed by hand, or is damaged"),
)


@pytest.fixture
def exported(invoke: Invoke, connected: Sandbox, warehouse: Warehouse, clean_place: Path) -> Path:
    """The state of loaded tables, which are then in a warehouse that has nothing else."""
    assert invoke("materialize", SOURCES, USERS, VIEWS).exit_code == 0
    file = clean_place / "state.json"
    done = invoke("state", "export", str(file))
    assert done.exit_code == 0, done.output
    assert f"analytics/{SOURCES}: 30 loaded partitions" in done.output
    assert f"analytics/{USERS}: state" in done.output
    assert "2 resources of 4 with a state" in done.output
    return file


def moved(warehouse: Warehouse) -> None:
    """Leave the rows alone: as if they were copied into another warehouse."""
    change(warehouse, "loaded_partitions", "DROP TABLE {table}")
    change(warehouse, "_dlt_pipeline_state", "DELETE FROM {table}")


def partitions() -> set[str]:
    with open_instance() as instance:
        return instance.get_materialized_partitions(asset_key(API.resources[SOURCES]))


def cursor(warehouse: Warehouse) -> Any:
    with warehouse.open() as tables:
        state = tables.state(f"analytics_{USERS}")
    of_resource = state_of_resource(state, f"analytics_{USERS}", USERS)
    return of_resource.get("incremental", {}).get("updated_at", {}).get("last_value")


def edited(file: Path, resource: str, **values: Any) -> None:
    document = json.loads(file.read_text())
    document["resources"][f"analytics/{resource}"] |= values
    file.write_text(json.dumps(document))


def test_another_instance_and_warehouse_go_on_where_the_first_ones_were(
    invoke: Invoke,
    exported: Path,
    connected: Sandbox,
    warehouse: Warehouse,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    before = cursor(warehouse)
    moved(warehouse)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "dagster.yaml").write_text(Path("dagster.yaml").read_text())
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "other"))

    tried = invoke("state", "import", str(exported), "--dry-run")
    assert tried.exit_code == 0, tried.output
    assert f"analytics/{SOURCES}: 30 loaded partitions, 2025-07-02 to 2025-07-31" in tried.output
    assert f"analytics/{USERS}: cursor {before}" in tried.output
    assert "Nothing was changed" in tried.output
    assert (cursor(warehouse), partitions()) == (None, set())

    done = invoke("state", "import", str(exported))
    assert done.exit_code == 0, done.output
    assert "Imported 2 resources; 30 partitions recorded in Dagster's history." in done.output
    assert cursor(warehouse) == before
    assert len(partitions()) == 30

    again = invoke("state", "import", str(exported))
    assert "Imported 0 resources; 0 partitions recorded" in again.output

    connected.requests.clear()
    assert invoke("materialize", SOURCES, USERS).exit_code == 0
    queries = [each.query for each in connected.requests]
    assert {query["start_date"] for query in queries if "start_date" in query} == {"2025-07-28"}
    [since] = {query["updated_since"] for query in queries if "updated_since" in query}
    assert since[:10] >= "2025-07-27"


def test_what_is_newer_here_stays(invoke: Invoke, exported: Path, warehouse: Warehouse) -> None:
    before = cursor(warehouse)
    state = {"incremental": {"updated_at": {"last_value": "2025-07-02T00:00:00.000000Z"}}}
    edited(exported, USERS, state=state)
    done = invoke("state", "import", str(exported))
    assert done.exit_code == 0, done.output
    assert f"its cursor stays at {before}, which is later than 2025-07-02" in done.output
    assert cursor(warehouse) == before


def test_a_state_that_does_not_fit_is_refused_and_nothing_is_changed(
    invoke: Invoke, exported: Path, warehouse: Warehouse, subtests: pytest.Subtests
) -> None:
    moved(warehouse)
    fitting = exported.read_text()
    for resource, values, refusal in UNFIT:
        with subtests.test(refusal):
            exported.write_text(fitting)
            edited(exported, resource, **values)
            done = invoke("state", "import", str(exported))
            assert done.exit_code == 1
            assert refusal in done.stderr
            assert cursor(warehouse) is None


def test_a_child_table_that_was_not_copied_is_found(
    invoke: Invoke, exported: Path, warehouse: Warehouse
) -> None:
    tags = f"{USERS}__tags"
    change(warehouse, tags, "CREATE TABLE {table} AS SELECT 'new' AS value")
    assert invoke("state", "export", str(exported), USERS).exit_code == 0
    moved(warehouse)
    change(warehouse, tags, "DROP TABLE {table}")
    done = invoke("state", "import", str(exported))
    assert done.exit_code == 1
    assert f"its table `{tags}` has 0 of 1 row that it had at the export" in done.stderr
    assert cursor(warehouse) is None


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("{", "cannot be read"),
        ("[]", "is no file of `analytics-assets state export`"),
        ('{"format": "analytics-assets state", "version": 2}', "its version is 2, and"),
        ('{"format": "analytics-assets state", "version": 1, "layout": 9}', "its layout is 9"),
        (
            '{"format": "analytics-assets state", "version": 1, "layout": 1, "resources": '
            '{"analytics/page_view": {"load": "full", "primary_key": [], "by": "", "timezone": "", '
            '"rows": {}, "state": {}, "partitions": []}}}',
            "has the state of analytics/page_view, which this project does not have; did you mean",
        ),
    ],
)
@pytest.mark.usefixtures("duckdb_warehouse")
def test_a_file_that_is_no_such_document_is_refused(
    invoke: Invoke, clean_place: Path, text: str, refusal: str
) -> None:
    file = clean_place / "state.json"
    file.write_text(text)
    done = invoke("state", "import", str(file))
    assert done.exit_code == 1
    assert refusal in done.stderr
