"""Dagster's history in PostgreSQL, by Dagster's own storage."""

import inspect
import sys
from types import ModuleType
from typing import Any

import pytest
from dagster._core.storage.dagster_run import DagsterRun

from analytics_assets.orchestration.runs import storage


def test_the_storage_in_postgresql_is_dagsters_with_checks_planned_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class DagsterPostgresStorage:  # its package is no dependency of this project
        @classmethod
        def from_config_value(cls, inst_data: Any, config_value: Any) -> Any:
            return inst_data, config_value

    package = ModuleType("dagster_postgres")
    monkeypatch.setattr(package, "DagsterPostgresStorage", DagsterPostgresStorage, raising=False)
    monkeypatch.setitem(sys.modules, "dagster_postgres", package)
    method = "get_resolved_partitions_subset_for_events"
    monkeypatch.setattr(DagsterRun, method, inspect.unwrap(getattr(DagsterRun, method)))

    made = storage.PostgresStorage.from_config_value(None, {"postgres_url": "..."})

    assert made == (None, {"postgres_url": "..."})
    assert getattr(DagsterRun, method) is not inspect.unwrap(getattr(DagsterRun, method))
    with pytest.raises(AttributeError, match="MysqlStorage"):
        _ = storage.MysqlStorage
