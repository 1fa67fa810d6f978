"""The executor of a project: by the warehouse, by the setting, or given to `build_definitions`."""

import sys
from dataclasses import replace

import dagster as dg
import pytest

from analytics_assets.config.errors import SettingsError
from analytics_assets.defs.analytics.api import API
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets.orchestration.runs.executor.multithread import (
    ONE_BY_ONE,
    multithread_executor,
)
from analytics_assets.orchestration.runs.executor.setting import executor_from_settings
from analytics_assets.orchestration.runs.liveness.executor import leased

POSTGRES = "postgresql://loader:unused@localhost/analytics"  # which nothing connects to


def named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("EXECUTOR", name)


def test_the_default_follows_the_warehouse() -> None:
    assert executor_from_settings(is_duckdb=True) is ONE_BY_ONE
    assert executor_from_settings(is_duckdb=False) is multithread_executor


@pytest.mark.parametrize(
    ("setting", "executor"),
    [
        *(("multithread", "multithread"), ("Multiprocess ", "multiprocess")),
        *(("celery", "celery"), ("k8s", "k8s"), (" ", "multithread")),
    ],
)
def test_the_setting_chooses_one_object_for_all_apis(
    monkeypatch: pytest.MonkeyPatch, setting: str, executor: str
) -> None:
    named(monkeypatch, setting)
    monkeypatch.setenv("DESTINATION_TYPE", "postgres")
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", POSTGRES)
    shop = replace(API, name="shop")

    merged = dg.Definitions.merge(build_definitions(API), build_definitions(shop))

    assert isinstance(merged.executor, dg.ExecutorDefinition)
    assert merged.executor.name == executor
    job = merged.resolve_implicit_global_asset_job_def()
    assert job.executor_def is merged.executor


def test_the_argument_goes_before_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    named(monkeypatch, "k8s")
    given = dg.in_process_executor
    assert build_definitions(API, executor=given).executor is leased(given)


@pytest.mark.parametrize("name", ["multiprocess", "celery", "k8s"])
def test_duckdb_refuses_steps_in_processes_of_their_own(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    named(monkeypatch, name)
    with pytest.raises(SettingsError, match=f"is {name}, which .* set `destination_type`"):
        build_definitions(API)


def test_an_unknown_executor_is_refused_with_those_that_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    named(monkeypatch, "multithreaded")
    known = "in_process, multithread, multiprocess, celery, k8s; did you mean `multithread`"
    with pytest.raises(SettingsError, match=rf"cannot be 'multithreaded': give one of {known}\?"):
        build_definitions(API)


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [("celery", "celery", "celery"), ("k8s", "dagster_k8s", "kubernetes")],
)
def test_a_missing_package_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, name: str, package: str, extra: str
) -> None:
    named(monkeypatch, name)
    for module in [each for each in sys.modules if ".executor.celery" in each]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)
    executor_from_settings.__globals__["_executor"].cache_clear()
    installs = rf"package {package.replace('_', '-')}, .* run pip install .* '\.\[{extra}\]'"
    with pytest.raises(SettingsError, match=installs):
        executor_from_settings(is_duckdb=False)
