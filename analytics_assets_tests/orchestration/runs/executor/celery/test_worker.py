"""A worker of Celery at its start."""

from pathlib import Path

import pytest
from celery.signals import worker_init

from analytics_assets.orchestration.runs.executor.celery import worker
from analytics_assets_tests.conftest import ROOT

SETTINGS = ROOT / "deploy" / "dagster.yaml"


def test_a_worker_without_the_history_ends_at_its_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dagster.yaml").write_text(SETTINGS.read_text())
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.delenv("DAGSTER_POSTGRES_URL", raising=False)
    with pytest.raises(SystemExit, match="DAGSTER_POSTGRES_URL"):
        worker_init.send(worker)


def test_a_worker_with_the_history_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    worker.require_history()
