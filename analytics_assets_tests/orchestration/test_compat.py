"""Private behaviour of Dagster that the orchestration works around."""

import inspect
from importlib import import_module
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from dagster_postgres.run_storage import run_storage
from sqlalchemy import create_engine, text

from analytics_assets.orchestration.assets.dlt_resource import DltLoader
from analytics_assets.orchestration.compat import (
    WITHOUT_RUN,
    define_job_of_any_partitions,
    event_log_cursor,
    forget_output_metadata,
    history_kept_open,
    observed_assets,
    read_migrations_once,
    reuse_engines,
    store_value,
    stored_value,
    swap_stored_value,
    with_signature,
)
from analytics_assets_tests.support.loading import history_in


def test_a_signature_is_worked_out_once_and_is_the_functions_own() -> None:
    def function(first: int, *, second: str = "") -> bool:
        return bool(first) and bool(second)

    expected = inspect.signature(function)
    known = with_signature(function)
    assert known is function
    assert inspect.signature(known) == expected
    assert inspect.signature(known) is inspect.signature(known)


@pytest.mark.parametrize("is_forgotten", [False, True])
def test_metadata_that_a_mapped_spec_leaves_out_returns_from_the_outputs(
    is_forgotten: bool,
) -> None:
    @dg.multi_asset(specs=[dg.AssetSpec("table", metadata={"object": "of dlt", "kept": 1})])
    def assets() -> None: ...

    if is_forgotten:
        forget_output_metadata(assets, ["object"])
    mapped = assets.map_asset_specs(lambda spec: spec.replace_attributes(metadata={"kept": 1}))

    [spec] = mapped.specs
    assert list(spec.metadata) == (["kept"] if is_forgotten else ["object", "kept"])


@pytest.mark.parametrize("resource", ["nothing", "dlt"])
def test_dagster_writes_back_the_log_of_its_history_after_each_event(
    tmp_path: Path, resource: str
) -> None:
    written_back: list[str] = []

    @dg.op(required_resource_keys={resource})
    def emit(context: dg.OpExecutionContext) -> None:
        context.log_event(dg.AssetMaterialization("emitted"))
        context.instance.add_run_tags(context.run_id, {"step": "emit"})
        files = tmp_path.glob("history/**/*.db")
        written_back.extend(file.stem for file in files if not log_of(file).exists())

    @dg.job(resource_defs={"dlt": DltLoader(), "nothing": dg.ResourceDefinition.none_resource()})
    def emitting() -> None:
        emit()

    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        run = emitting.execute_in_process(instance=instance)
    files = {"runs", "index"} if resource == "nothing" else set[str]()
    # that of the run always: its page in the UI waits for a change of it
    assert set(written_back) == files | {run.run_id}
    assert not any(log_of(file).exists() for file in tmp_path.glob("history/**/*.db"))


def test_a_busy_machine_has_a_minute_to_write_into_the_history(tmp_path: Path) -> None:
    with history_in(tmp_path) as instance:
        storages: list[Any] = [instance.run_storage, instance.schedule_storage]
        for storage in storages:
            with storage.connect() as connection:
                assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 60_000


def test_runs_may_be_in_a_server_beside_files_of_events(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module: Any = run_storage
    monkeypatch.setattr(module, "create_engine", module.create_engine)
    storage = {
        "module": module.__name__,
        "class": "PostgresRunStorage",
        "config": {"postgres_url": postgres_url},
    }
    for _ in range(2):  # the second one has the engines of the first
        with dg.DagsterInstance.local_temp(str(tmp_path), {"run_storage": storage}) as instance:
            reuse_engines(instance)
            assert instance.get_runs() == []


@pytest.mark.parametrize("storage", ["event_log_storage", "run_storage"])
def test_dagster_makes_an_engine_for_each_event_and_query(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, storage: str
) -> None:
    made: list[str] = []
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        module: Any = inspect.getmodule(type(getattr(instance, storage)))
        make = inspect.unwrap(module.create_engine)

        def counted(url: str, **options: Any) -> Any:
            made.append(url)
            return make(url, **options)

        monkeypatch.setattr(module, "create_engine", counted)

        def engines() -> int:
            before = len(made)
            for _ in range(3):
                instance.report_runless_asset_event(dg.AssetMaterialization("shop"))
                instance.get_runs()
            return len(made) - before

        assert engines() >= 3
        reuse_engines(instance)
        assert engines() <= 2  # a file each: of runs; of assets, and of events without a run
        assert engines() == 0
        assert len(instance.fetch_materializations(dg.AssetKey("shop"), limit=99).records) == 9


def test_instances_in_memory_share_no_engine() -> None:
    with dg.DagsterInstance.ephemeral() as first:
        reuse_engines(first)
        first.report_runless_asset_event(dg.AssetMaterialization("shop"))
        with dg.DagsterInstance.ephemeral() as second:
            reuse_engines(second)
            assert not second.has_asset_key(dg.AssetKey("shop"))
            for each in (first, second):
                for storage in (each.event_log_storage, each.run_storage):
                    module: Any = inspect.getmodule(type(storage))
                    made = getattr(module, "create_engine", None)
                    assert made is None or type(made).__name__ == "function"


def log_of(file: Path) -> Path:
    """The log of changes that SQLite has not written back into a file."""
    return file.with_name(f"{file.name}-wal")


def test_an_instance_without_files_has_nothing_to_keep_open() -> None:
    with dg.DagsterInstance.ephemeral() as instance, history_kept_open(instance):
        assert instance.get_runs() == []


def test_dagster_1_13_refuses_a_job_of_assets_with_different_partitions() -> None:
    @dg.asset(partitions_def=dg.DailyPartitionsDefinition("2026-01-01"))
    def days() -> None: ...

    @dg.asset(partitions_def=dg.MonthlyPartitionsDefinition("2026-01-01"))
    def months() -> None: ...

    def definitions(job: Any) -> dg.Definitions:
        return dg.Definitions(assets=[days, months], jobs=[job])

    every = dg.AssetSelection.all()
    with pytest.raises(dg.DagsterInvalidDefinitionError) as refused:
        definitions(dg.define_asset_job("job", every)).resolve_job_def("job")
    assert "must have the same partitions definitions" in str(refused.value.__cause__)

    job = definitions(define_job_of_any_partitions("job", every, "All.")).resolve_job_def("job")
    with dg.DagsterInstance.ephemeral() as instance:
        done = job.execute_in_process(
            instance=instance, asset_selection=[days.key], partition_key="2026-01-02"
        )
    assert done.success
    assert done.dagster_run.job_name == "job"


def test_dagsters_own_store_overwrites_a_value_of_another_process(
    instance: dg.DagsterInstance,
) -> None:
    assert stored_value(instance, "key") is None
    store_value(instance, "key", "of another process")
    store_value(instance, "key", "mine")  # and says nothing
    assert stored_value(instance, "key") == "mine"


def test_a_value_is_stored_only_in_place_of_the_one_that_was_read(
    instance: dg.DagsterInstance,
) -> None:
    assert swap_stored_value(instance, "key", None, "one")
    assert not swap_stored_value(instance, "key", None, "two")
    assert not swap_stored_value(instance, "key", "other", "two")
    assert swap_stored_value(instance, "key", "one", "two")
    assert stored_value(instance, "key") == "two"


def test_a_cursor_begins_behind_an_event(instance: dg.DagsterInstance) -> None:
    for _ in range(2):
        instance.report_runless_asset_event(dg.AssetObservation("table"))
    first, second = instance.get_records_for_run(WITHOUT_RUN).records
    after = instance.get_records_for_run(WITHOUT_RUN, event_log_cursor(first.storage_id)).records
    assert [record.storage_id for record in after] == [second.storage_id]


def test_get_event_records_has_the_observations_of_all_assets(
    instance: dg.DagsterInstance,
) -> None:
    for name in ("orders", "visits", "clicks"):
        instance.report_runless_asset_event(dg.AssetObservation(name))
    instance.report_runless_asset_event(dg.AssetMaterialization("orders"))
    [first, second, third] = observed_assets(instance, 0, 10).items()
    assert [third, second, first] == sorted([first, second, third])
    assert third[1] == dg.AssetKey("orders")
    assert dict([first]) == observed_assets(instance, second[0], 10)
    assert dict([first, second]) == observed_assets(instance, 0, 2)


@pytest.fixture
def is_kept(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> bool:
    """Dagster as it is, or with what is read and described once."""
    sql: Any = import_module("dagster._core.storage.sql")
    monkeypatch.setattr(sql, "ScriptDirectory", ScriptDirectory)
    monkeypatch.setattr(sql, "MigrationContext", MigrationContext)
    read_migrations_once.cache_clear()
    if request.param:
        read_migrations_once()
    return bool(request.param)


@pytest.mark.parametrize("is_kept", [False, True], indirect=True)
def test_dagster_reads_its_migrations_anew_for_each_instance(
    clean_place: Path, monkeypatch: pytest.MonkeyPatch, is_kept: bool
) -> None:
    folders, reads = list[str](), list[int]()
    read = ScriptDirectory._load_revisions

    def counted(self: ScriptDirectory) -> Any:
        folders.append(self.dir)
        return read(self)

    monkeypatch.setattr(ScriptDirectory, "_load_revisions", counted)
    for _ in range(3):
        with dg.DagsterInstance.local_temp(str(clean_place)) as instance:
            assert instance.get_runs() == []
        reads.append(len(folders))
    of_new_tables, *others = reads
    assert [each == of_new_tables for each in others] == [is_kept, is_kept]


@pytest.mark.parametrize("is_kept", [False, True], indirect=True)
def test_alembic_describes_its_table_anew_for_each_look_and_an_engine_keeps_the_statements(
    is_kept: bool,
) -> None:
    sql: Any = import_module("dagster._core.storage.sql")
    engine: Any = create_engine("sqlite://")
    with engine.connect() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
        before = len(engine._compiled_cache)
        for _ in range(3):
            assert sql.MigrationContext.configure(connection).get_current_revision() is None
    assert len(engine._compiled_cache) - before == (1 if is_kept else 3)
