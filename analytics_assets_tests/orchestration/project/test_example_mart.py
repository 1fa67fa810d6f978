"""The example of a mart: to be deleted with its folder, `defs/example_mart/`."""

import shutil
from collections import Counter
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import dagster as dg
import pytest

from analytics_assets import defs
from analytics_assets.defs.analytics.api import API
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets.sandbox import sandbox_rows
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import TODAY
from analytics_assets_tests.orchestration.project.test_project import BOTH, SHOP, printed_by
from analytics_assets_tests.support.loading import failures_of
from analytics_assets_tests.support.project import copy_project

MART = dg.AssetKey(["example_mart", "daily_traffic"])
SOURCES = [dg.AssetKey(["analytics", name]) for name in ("page_views", "daily_active_users")]
ROWS = "SELECT analytics_id, date, page_views, active_users FROM example_mart.daily_traffic"


@pytest.fixture
def project(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> dg.Definitions:
    """The API and the mart with the settings of the test, each with a dataset of its own."""
    monkeypatch.delenv("DATASET_NAME")
    [folder] = defs.__path__
    spec = spec_from_file_location("mart", Path(folder, "example_mart", "assets.py"))
    assert spec
    assert spec.loader
    module: ModuleType = module_from_spec(spec)
    spec.loader.exec_module(module)
    return dg.Definitions.merge(build_definitions(API), dg.load_definitions_from_module(module))


def materialize(
    project: dg.Definitions, instance: dg.DagsterInstance, *keys: dg.AssetKey
) -> dg.ExecuteInProcessResult:
    job = project.resolve_implicit_global_asset_job_def()
    return job.execute_in_process(instance=instance, asset_selection=keys, raise_on_error=False)


def test_the_mart_is_made_after_its_tables_and_holds_all_their_views(
    project: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    assert materialize(project, instance, *SOURCES, MART).success
    again = materialize(project, instance, MART)

    assert all(check.passed for check in again.get_asset_check_evaluations())
    [made] = again.asset_materializations_for_node(MART.to_python_identifier())
    assert {"dagster/column_schema", "dagster/column_lineage"} < set(made.metadata)
    assert made.metadata["newest data"].value == "2025-07-31"
    expected = {}
    for resource, column in (("page_views", "page_views"), ("daily_active_users", "active_users")):
        counts: Counter[tuple[str, str]] = Counter()
        for row in sandbox_rows(resource, TODAY):
            counts[row["analytics_id"], row["date"]] += row[column]
        expected[resource] = counts
    found = Warehouse.from_settings("example_mart").query(ROWS)
    assert made.metadata["dagster/row_count"].value == len(found)
    assert {(row[0], str(row[1])): row[2] for row in found} == expected["page_views"]
    assert {(row[0], str(row[1])): row[3] for row in found} == expected["daily_active_users"]


def test_a_mart_without_its_tables_fails_with_the_remedy(
    project: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    [error] = failures_of(materialize(project, instance, MART)).values()
    assert "page_views" in error
    assert "Load that table first, or correct the query." in error


def test_lineage_leads_from_the_endpoints_to_the_mart_column_by_column(
    project: dg.Definitions,
) -> None:
    graph = project.resolve_asset_graph()
    endpoints = {dg.AssetKey(["web_api", "analytics", key.path[-1]]) for key in SOURCES}
    assert graph.get_ancestor_asset_keys(MART) == {*SOURCES, *endpoints}
    metadata = graph.get(MART).metadata
    columns = {column.name for column in metadata["dagster/column_schema"].columns}
    lineage = metadata["dagster/column_lineage"].deps_by_column
    assert set(lineage) == columns
    for dependency in [each for column in lineage.values() for each in column]:
        schema = graph.get(dependency.asset_key).metadata["dagster/column_schema"]
        assert dependency.column_name in {column.name for column in schema.columns}


def test_nothing_makes_the_mart_until_its_sensor_is_switched_on(project: dg.Definitions) -> None:
    sensor = project.resolve_sensor_def("example_mart")
    assert isinstance(sensor, dg.AutomationConditionSensorDefinition)
    assert sensor.default_status is dg.DefaultSensorStatus.STOPPED


def test_the_condition_asks_for_the_mart_once_both_tables_are_loaded(
    project: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    first, *rest = SOURCES
    asked = dg.evaluate_automation_conditions(project, instance)
    materialize(project, instance, first)
    asked = dg.evaluate_automation_conditions(project, instance, cursor=asked.cursor)
    assert asked.total_requested == 0
    materialize(project, instance, *rest)
    asked = dg.evaluate_automation_conditions(project, instance, cursor=asked.cursor)
    assert asked.get_num_requested(MART) == 1


def test_a_project_with_another_api_loads_with_the_mart_whose_tables_it_lacks(
    tmp_path: Path,
) -> None:
    folder = copy_project(tmp_path)
    shop = folder.with_name("shop")
    shutil.rmtree(folder)
    shop.mkdir()
    (shop / "api.py").write_text(SHOP)
    found = printed_by(BOTH, tmp_path)
    assert {"shop/orders", "example_mart/daily_traffic"} <= set(found["assets"])
    assert found["command_line"] == ["shop"]


def test_without_its_folder_the_project_is_the_api_alone(tmp_path: Path) -> None:
    shutil.rmtree(copy_project(tmp_path).with_name("example_mart"))
    found = printed_by(BOTH, tmp_path)
    assert set(found["assets"]) == {f"analytics/{name}" for name in (*API.resources, "load_health")}
    assert found["command_line"] == ["analytics"]


def test_a_copy_of_its_folder_is_a_mart_beside_it(tmp_path: Path) -> None:
    mart = copy_project(tmp_path).with_name("example_mart")
    shutil.copytree(mart, mart.with_name("my_mart"))
    marts = {f"{name}/daily_traffic" for name in ("example_mart", "my_mart")}
    assert marts <= set(printed_by(BOTH, tmp_path)["assets"])
