"""Destinations: dlt's own, with transactions and plain files."""

from pathlib import Path
from typing import Any

import dlt
import pyarrow as pa
import pytest
from dlt.common.normalizers.naming.direct import NamingConvention as Direct
from dlt.common.normalizers.naming.snake_case import NamingConvention as SnakeCase
from pyarrow.parquet import ParquetFile

from analytics_assets.warehouse.compat import DuckDbFile
from analytics_assets.warehouse.destinations.supported import CAPABILITIES, DuckDb, Postgres

CREDENTIALS = DuckDbFile("a.duckdb")
EACH = pytest.mark.parametrize("name", ["duckdb", "postgres"])


def own(name: str) -> Any:
    return DuckDb(CREDENTIALS, **CAPABILITIES) if name == "duckdb" else Postgres(**CAPABILITIES)


def of_dlt(name: str) -> Any:
    if name == "duckdb":
        return dlt.destinations.duckdb(CREDENTIALS, **CAPABILITIES)
    return dlt.destinations.postgres(**CAPABILITIES)


@EACH
@pytest.mark.parametrize("naming", [None, Direct(), SnakeCase()])
def test_capabilities_depend_on_no_setting(name: str, naming: Any) -> None:
    can, expected = (make(name).capabilities(naming=naming) for make in (own, of_dlt))
    assert str(dict(can)) == str(dict(expected))  # as two partial functions are never equal
    assert can.supports_transactions


@EACH
def test_its_name_in_settings_and_in_the_stored_state_is_dlts(name: str) -> None:
    assert own(name).destination_name == of_dlt(name).destination_name == name
    assert own(name).destination_type == of_dlt(name).destination_type


@EACH
def test_dlts_own_settings_of_a_destination_apply(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"DESTINATION__{name.upper()}__CREATE_INDEXES", "true")
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", "postgresql://me:it@localhost/here")
    destination = own(name)
    assert destination.config_params == of_dlt(name).config_params
    settings = destination.configuration(destination.spec()._bind_dataset_name("analytics"))
    assert settings.create_indexes is True


@EACH
@pytest.mark.parametrize(("setting", "codec"), [(None, "UNCOMPRESSED"), ("zstd", "ZSTD")])
def test_files_of_a_load_are_not_compressed_unless_a_setting_says_so(
    name: str,
    setting: str | None,
    codec: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    if setting:
        monkeypatch.setenv("DATA_WRITER__COMPRESSION", setting)
    pipeline = dlt.pipeline("plain", pipelines_dir=str(tmp_path), destination=own(name))
    pipeline.extract(pa.table({"id": [1, 2]}), table_name="orders", loader_file_format="parquet")

    [file] = tmp_path.rglob("orders.*.parquet")

    with ParquetFile(file) as parquet:
        assert parquet.metadata.row_group(0).column(0).compression == codec
