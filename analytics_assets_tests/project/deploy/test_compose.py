"""`deploy/compose.yaml`: by the schema of Compose, and beside the image and the settings."""

import json
import shlex
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from analytics_assets_tests.conftest import ROOT
from analytics_assets_tests.project.deploy.files import (
    DEPLOY,
    check_command,
    check_variables,
    command_of,
    instruction,
    read,
    settings,
)

SCHEMA = json.loads((Path(__file__).parent / "data" / "compose-spec.json").read_text())
COMPOSE: dict[str, Any] = read("compose.yaml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("migrate", "code", "worker", "webserver", "daemon")  # services of our image
LOADING = ("code", "worker")


def test_it_is_valid_by_the_schema_of_compose() -> None:
    assert [error.message for error in _validator().iter_errors(COMPOSE)] == []


def test_the_schema_refuses_what_compose_does_not_know() -> None:
    wrong = {"services": {"code": {"image": "x", "stop_grace_periode": "2h"}}}
    assert [*_validator().iter_errors(wrong)]


@pytest.mark.parametrize("name", SERVICES)
def test_commands_and_health_checks_exist(name: str) -> None:
    service = SERVICES[name]
    if command := service.get("command"):
        check_command(command)
    kind, *check = service.get("healthcheck", {}).get("test", [None])
    if kind == "CMD":
        check_command([word for word in check if word != "/app/deploy/entrypoint.sh"])
    if kind == "CMD-SHELL":
        check_command(shlex.split(check[0]))


@pytest.mark.parametrize("name", OURS)
def test_variables_are_settings_and_secrets_are_files_of_settings(name: str) -> None:
    service = SERVICES[name]
    check_variables([*service["environment"]])
    check_variables(service["secrets"])
    assert not {*service["environment"]} & {*service["secrets"]}
    assert {*service["secrets"]} <= {*COMPOSE["secrets"]}


def test_webserver_and_daemon_know_neither_the_api_nor_the_warehouse() -> None:
    for name in {*OURS} - {*LOADING}:
        assert not {*SERVICES[name]["environment"], *SERVICES[name]["secrets"]} & settings()


def test_files_of_secrets_are_those_that_the_documentation_makes() -> None:
    page = (ROOT / "docs" / "production.md").read_text()
    for name, secret in COMPOSE["secrets"].items():
        assert secret["file"] == f"secrets/{name}"
        assert f"> {name}" in page


def test_what_loads_ends_after_the_longest_load_and_has_the_same_settings() -> None:
    assert {SERVICES[name]["stop_grace_period"] for name in LOADING} == {"2h"}
    code, worker = (SERVICES[name] for name in LOADING)
    assert code["environment"] == worker["environment"]
    assert code["secrets"] == worker["secrets"]
    assert code["environment"]["EXECUTOR"] == "celery"


def test_all_share_the_folder_of_logs_and_write_nowhere_else() -> None:
    [volumes] = map(command_of, instruction("VOLUME"))
    for name in OURS:
        mounted = {text.rpartition(":")[2] for text in SERVICES[name]["volumes"]}
        assert mounted == {*volumes}
        assert "data:/data" in SERVICES[name]["volumes"]
        assert SERVICES[name]["read_only"]


def test_the_code_location_is_where_the_others_look_for_it() -> None:
    [port] = instruction("EXPOSE")
    assert "command" not in SERVICES["code"]  # that of the image
    assert "healthcheck" not in SERVICES["code"]
    for name in ("webserver", "daemon"):
        environment = SERVICES[name]["environment"]
        assert environment["CODE_LOCATION_HOST"] == "code"
        assert environment["CODE_LOCATION_PORT"] == port
        workspace = SERVICES[name]["command"][-1]
        assert (ROOT / workspace).exists()


def test_the_image_is_built_once_from_this_folder() -> None:
    [build] = [service["build"] for service in SERVICES.values() if "build" in service]
    assert (DEPLOY / build["context"]).resolve() == ROOT
    assert (ROOT / build["dockerfile"]).exists()
    assert len({SERVICES[name]["image"] for name in OURS}) == 1


def _validator() -> Any:
    return jsonschema.Draft7Validator(SCHEMA)
