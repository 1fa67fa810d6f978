"""The component `RestApi`: found by Dagster, by `dg` and by the command line alike."""

from pathlib import Path

import pytest

from analytics_assets import RestApi
from analytics_assets.components.rest_api import EXAMPLE
from analytics_assets.config.validation.structure import PARTS_OF_CONFIG
from analytics_assets.orchestration.api_file.yaml_api import OF_API
from analytics_assets_tests.orchestration.project.test_project import BOTH, REFUSED, printed_by
from analytics_assets_tests.support.project import copy_project


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The file of an API in YAML, in a copy of the project below `tmp_path`."""
    folder = copy_project(tmp_path).with_name("shop")
    folder.mkdir()
    return folder / "defs.yaml"


def test_an_api_in_yaml_is_loaded_by_dagster_and_by_commands(shop: Path, tmp_path: Path) -> None:
    shop.write_text(f'{EXAMPLE}  policies: {{orders: {{schedule: "15 7 * * *"}}}}\n')

    found = printed_by(BOTH, tmp_path)

    assert {"shop/orders", "shop/load_health", "analytics/page_views"} <= set(found["assets"])
    assert {"analytics_daily", "shop_daily"} <= set(found["schedules"])
    assert found["command_line"] == ["analytics", "shop"]
    assert found["stderr"] == ""


def test_an_error_in_yaml_is_the_same_in_dagster_and_in_commands(
    shop: Path, tmp_path: Path
) -> None:
    shop.write_text(EXAMPLE.replace("path:", "pathh:"))

    refused = printed_by(REFUSED, tmp_path)

    assert refused["dagster"].startswith("shop/defs.yaml, line 14: `endpoint` of resource `orders`")
    assert refused["command_line"] == refused["dagster"]


def test_a_folder_with_python_and_yaml_is_refused(shop: Path, tmp_path: Path) -> None:
    shop.write_text(EXAMPLE)
    shop.with_name("api.py").write_text("")

    refused = printed_by(REFUSED, tmp_path)["command_line"]

    assert refused.startswith("shop/api.py and shop/defs.yaml both describe an API")


def test_the_schema_has_the_words_of_an_api_with_a_description_and_an_example_each() -> None:
    properties = RestApi.model().model_json_schema()["properties"]

    assert {*properties} >= {*OF_API, *PARTS_OF_CONFIG}
    assert all(each["description"] and each["examples"] for each in properties.values())
