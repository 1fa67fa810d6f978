"""`deploy/dagster.yaml` as Dagster reads it."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster import DagsterInstance
from dagster._config import process_config, resolve_to_config_type
from dagster._core.instance.config import dagster_instance_config
from dagster._core.workspace.config_schema import process_workspace_config
from dagster_aws.s3.compute_log_manager import S3ComputeLogManager
from dagster_postgres import (
    PostgresEventLogStorage,
    PostgresRunStorage,
    PostgresScheduleStorage,
)

from analytics_assets_tests.conftest import ROOT
from analytics_assets_tests.support.postgres import PostgresServer

DEPLOY = ROOT / "deploy"
LAPTOP: dict[str, Any] = yaml.safe_load((ROOT / "dagster.yaml").read_text())
PRODUCTION: dict[str, Any] = yaml.safe_load((DEPLOY / "dagster.yaml").read_text())


def test_an_instance_of_production_keeps_its_history_in_postgresql(
    postgres_server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_FILES", str(tmp_path))
    with postgres_server.empty_database() as name:
        monkeypatch.setenv("DAGSTER_POSTGRES_URL", postgres_server.url(name))
        with DagsterInstance.from_config(str(DEPLOY)) as instance:
            assert isinstance(instance.run_storage, PostgresRunStorage)
            assert isinstance(instance.event_log_storage, PostgresEventLogStorage)
            assert isinstance(instance.schedule_storage, PostgresScheduleStorage)
            assert instance.run_coordinator.__class__.__name__ == "QueuedRunCoordinator"
            assert instance.run_monitoring_enabled
            assert instance.run_monitoring_max_runtime_seconds == 86400
            assert instance.run_retries_enabled
            assert instance.run_retries_max_retries == 2
            assert not instance.run_retries_retry_on_asset_or_op_failure
            assert not instance.telemetry_enabled
            assert instance.get_concurrency_config().run_queue_config.max_concurrent_runs == 8  # type: ignore[union-attr]
            assert not instance.get_run_records()


def test_production_and_a_laptop_differ_only_where_they_must() -> None:
    differ = {name for name in {*LAPTOP, *PRODUCTION} if LAPTOP.get(name) != PRODUCTION.get(name)}
    assert differ == {
        "storage",
        "local_artifact_storage",
        "compute_logs",
        "concurrency",
        "run_monitoring",
        "run_retries",
    }
    assert LAPTOP["concurrency"]["pools"] == PRODUCTION["concurrency"]["pools"]
    assert LAPTOP["run_monitoring"].items() <= PRODUCTION["run_monitoring"].items()


def test_logs_go_into_a_bucket_by_the_block_that_stands_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (DEPLOY / "dagster.yaml").read_text()
    block = re.search(r"^# compute_logs:\n(#   .*\n)+", text, re.MULTILINE)
    assert block
    folder_block = re.search(r"^compute_logs:\n(  .*\n)+", text, re.MULTILINE)
    assert folder_block
    text = text.replace(folder_block[0], "").replace(block[0], re.sub("(?m)^# ", "", block[0]))
    (tmp_path / "dagster.yaml").write_text(text)
    config, _ = dagster_instance_config(str(tmp_path))
    logs = config["compute_logs"]
    assert (logs["module"], logs["class"]) == (
        "dagster_aws.s3.compute_log_manager",
        "S3ComputeLogManager",
    )
    for name, value in (
        ("DAGSTER_LOGS_BUCKET", "logs"),
        ("DAGSTER_LOGS_ENDPOINT", "http://127.0.0.1:9"),
        ("DAGSTER_FILES", str(tmp_path)),
        ("AWS_ACCESS_KEY_ID", "none"),
        ("AWS_SECRET_ACCESS_KEY", "none"),
    ):
        monkeypatch.setenv(name, value)
    manager: Any = S3ComputeLogManager
    processed = process_config(resolve_to_config_type(manager.config_type()), logs["config"])
    assert processed.success, processed.errors
    assert manager.from_config_value(None, processed.value).upload_interval == 30


def test_the_workspace_names_the_server_of_the_code_location(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CODE_LOCATION_HOST", "code")
    monkeypatch.setenv("CODE_LOCATION_PORT", "4000")
    processed = process_workspace_config(yaml.safe_load((DEPLOY / "workspace.yaml").read_text()))
    assert processed.success, processed.errors
    assert processed.value == {
        "load_from": [
            {"grpc_server": {"host": "code", "port": 4000, "location_name": "analytics_assets"}}
        ]
    }
