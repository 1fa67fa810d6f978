"""Faults of a DuckDB file or of the disk become sentences with file and remedy."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from analytics_assets.warehouse.driver_errors import warehouse_error
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.warehouse import Warehouse

pytestmark = pytest.mark.usefixtures("duckdb_warehouse")
NOBODY = 65534
HEADER = slice(8, 4096)  # of the first block, behind its checksum
FULL = """
import os, resource, signal, sys
from pathlib import Path
from analytics_assets.warehouse.warehouse import Warehouse
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
warehouse = Warehouse.from_settings("shop")
with warehouse.loading("orders") as pipeline:
    pipeline.run([{"id": 1}], table_name="orders")
try:
    with warehouse.loading("orders") as pipeline, pipeline.sql_client() as client:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, 1_500_000))
        if sys.argv[1] == "database":
            client.execute_sql("CREATE TABLE many AS SELECT hash(range) FROM range(1000000)")
        else:
            pipeline.run([{"text": os.urandom(1_000_000).hex()}] * 3, table_name="orders")
except Exception as error:
    print(f"{type(error).__name__}: {error}")
"""


@pytest.fixture
def file(clean_place: Path) -> Path:
    """A DuckDB file with one table of 10,000 rows."""
    file = clean_place / "warehouse.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("CREATE TABLE numbers AS SELECT range AS n FROM range(10000)")
    return file


def checksum(block: bytearray) -> int:
    """DuckDB's checksum of a block."""
    found = 5381
    for start in range(0, len(block), 8):
        word = int.from_bytes(block[start : start + 8], "little")
        found ^= (word * 0xBF58476D1CE4E5B9) % 2**64
    return found


def no_database(file: Path) -> None:
    file.write_text("no database" * 1000)


def no_bytes(file: Path) -> None:
    file.write_bytes(b"")


def other_database(file: Path) -> None:
    file.unlink()
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE numbers (n)")


def newer(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[12:20] = (9999).to_bytes(8, "little")
    content[:8] = checksum(content[HEADER]).to_bytes(8, "little")
    file.write_bytes(content)


def overwritten(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[12288:] = bytes(byte ^ 0x5A for byte in content[12288:])
    file.write_bytes(content)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: 12288 + 4096])


def directory(file: Path) -> None:
    file.unlink()
    file.mkdir()


def uses() -> list[Callable[[], None]]:
    """Each way to use a warehouse."""

    def query() -> None:
        with Warehouse.from_settings("shop").open() as tables:
            tables.columns("numbers")

    def load() -> None:
        with Warehouse.from_settings("shop").loading("orders") as pipeline:
            pipeline.run([{"id": 1}], table_name="orders")

    return [query, load]


def refusal(use: Callable[[], None]) -> str:
    with pytest.raises(WarehouseError) as refused:
        use()
    return str(refused.value)


@pytest.mark.parametrize(
    ("damage", "event", "remedy"),
    [
        (no_database, "its file is no DuckDB database", "move this one away"),
        (no_bytes, "its file is no DuckDB database", "move this one away"),
        (other_database, "its file is no DuckDB database", "move this one away"),
        (newer, "written by a newer DuckDB", "Install that version"),
        (overwritten, "cannot be read", "The file is damaged. Restore it from a backup"),
        (cut, "cannot be read", "The file is damaged. Restore it from a backup"),
        (directory, "cannot be opened", "Name a file in a folder that exists"),
    ],
)
def test_a_file_that_is_no_good_is_named_with_the_remedy(
    file: Path, damage: Callable[[Path], None], event: str, remedy: str
) -> None:
    damage(file)

    for use in uses():
        text = refusal(use)
        assert text.startswith("The warehouse ")
        assert event in text
        assert str(file) in text
        assert remedy in text


@contextmanager
def as_nobody() -> Iterator[None]:
    """Act as a user without rights; root has all."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


def test_a_file_without_the_right_to_read_it_is_named(file: Path) -> None:
    file.chmod(0)
    with as_nobody(), pytest.raises(duckdb.IOException) as raw:
        duckdb.connect(str(file))

    text = str(warehouse_error(raw.value, file))
    assert text.startswith("The warehouse cannot be opened: Cannot open file")
    assert f'"{file}": Permission denied. Give this user the right to read and write' in text


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("SELECT CAST('my-1' AS INT)", "Could not convert string (a value) to INT32"),
        (
            "SELECT CAST('my-1' AS DATE)",
            "invalid date field format: (a value), expected format is (YYYY-MM-DD)",
        ),
        (
            "SELECT CAST(5e10 AS INT)",
            "Type DOUBLE with value (a value) can't be cast because the value is out of range for "
            "the destination type INT32",
        ),
        (
            "CREATE TABLE t (id VARCHAR UNIQUE); INSERT INTO t VALUES ('my-1'), ('my-1')",
            "PRIMARY KEY or UNIQUE constraint violation: duplicate key (a value)",
        ),
    ],
)
def test_values_of_a_row_are_left_out(statement: str, said: str) -> None:
    with duckdb.connect() as connection, pytest.raises(duckdb.Error) as raw:
        connection.execute(statement)

    assert str(warehouse_error(raw.value)) == f"The warehouse failed: {said}."


def test_a_folder_that_cannot_be_written_is_named(clean_place: Path) -> None:
    folder = clean_place / "closed"
    folder.mkdir(0o500)
    with as_nobody(), pytest.raises(PermissionError) as raw:
        (folder / "file").write_text("")
    folder.chmod(0o700)

    text = str(warehouse_error(raw.value))
    assert text.startswith("A file or a folder cannot be written: ")
    assert f"{folder / 'file'}: Permission denied" in text
    assert "`pipelines_dir`" in text


@pytest.mark.parametrize("what", ["database", "working files"])
def test_a_full_disk_is_named(what: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL, what], capture_output=True, text=True, check=True
    )

    assert done.stdout.startswith("WarehouseError: The disk is full: "), done.stderr
    assert "Free space there, or move the file" in done.stdout


def test_a_memory_limit_that_is_too_low_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    setting = '{"memory_limit": "10MB", "max_temp_directory_size": "0MB"}'
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS__GLOBAL_CONFIG", setting)

    def sort() -> None:
        with (
            Warehouse.from_settings("shop").loading("orders") as pipeline,
            pipeline.sql_client() as client,
        ):
            client.execute_sql("CREATE TABLE many AS SELECT * FROM range(5000000) ORDER BY -range")

    text = refusal(sort)
    assert text.startswith(("The disk is full", "The warehouse has not enough memory"))
    assert "memory_limit" in text or "Free space" in text


def test_an_error_that_no_driver_raised_passes() -> None:
    with pytest.raises(ZeroDivisionError), Warehouse.from_settings("shop").open():
        raise ZeroDivisionError


@pytest.mark.parametrize(
    "said",
    [
        'Failed to attach DuckLake MetaData "lake": Failed to download extension "sqlite_scanner"',
        'Failed to download extension "ducklake" at URL "http://extensions.duckdb.org/ducklake.gz"',
    ],
)
def test_an_extension_that_cannot_be_downloaded_is_named_with_the_remedy(said: str) -> None:
    error = warehouse_error(duckdb.IOException(f"IO Error: {said}"))
    assert "needs an extension, which it cannot download here" in str(error)
    assert "extensions.duckdb.org" in str(error)
