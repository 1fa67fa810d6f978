"""The lock of a table whose warehouse has none, for the processes of all machines."""

from dataclasses import replace
from pathlib import Path

import psycopg2
import pytest

from analytics_assets.warehouse.errors import WarehouseError, WarehouseLockedError
from analytics_assets.warehouse.warehouse import Warehouse


@pytest.fixture
def elsewhere(
    delta_warehouse: Warehouse,
    postgres_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Warehouse:
    """The same warehouse on another machine, whose load waits for no other one."""
    monkeypatch.setenv("SHARED_STORE__URL", postgres_url)
    return replace(delta_warehouse, pipelines_dir=tmp_path / "elsewhere", lock_patience=0)


def test_a_table_is_loaded_by_one_machine_at_a_time(
    delta_warehouse: Warehouse, elsewhere: Warehouse
) -> None:
    with delta_warehouse.loading("shop", table="orders", run="first"):
        with elsewhere.loading("shop", table="visits"):
            pass
        with (
            pytest.raises(
                WarehouseLockedError, match=r"analytics\.orders is being loaded by run fi"
            ),
            elsewhere.loading("shop", table="orders"),
        ):
            pass
    with elsewhere.loading("shop", table="orders"):
        pass


def test_a_table_of_the_same_name_in_another_bucket_has_a_lock_of_its_own(
    delta_warehouse: Warehouse, elsewhere: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    with delta_warehouse.loading("shop", table="orders"):
        monkeypatch.setenv("DESTINATION__FILESYSTEM__BUCKET_URL", "another_lake")
        with elsewhere.loading("shop", table="orders"):
            pass


def test_a_load_whose_lock_was_lost_writes_nothing(
    elsewhere: Warehouse, postgres_url: str, tmp_path: Path
) -> None:
    with elsewhere.loading("shop", table="orders") as pipeline:
        other = psycopg2.connect(postgres_url)
        other.cursor().execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
        other.close()
        with pytest.raises(WarehouseError, match=r"locks the table analytics\.orders was lost"):
            pipeline.run([{"id": 1}], table_name="orders", loader_file_format="parquet")
    assert not (tmp_path / "lake" / "analytics" / "orders" / "_delta_log").exists()
