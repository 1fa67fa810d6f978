"""Files of a killed process: below `pipelines_dir`, and gone with the next run."""

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from analytics_assets.config.settings.oauth2 import OAuth2Settings
from analytics_assets.extract.http.oauth2.refresh_token import RefreshTokenGrant
from analytics_assets.extract.paging import duplicates, spool
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.project.hostile.documents.documents import api_of
from analytics_assets_tests.support.http.exchange import Answer, Request
from analytics_assets_tests.support.paged_server import (
    paged,
    read,
    rows,
    serving,
)

LOAD = """
import sys
from analytics_assets.config.settings.oauth2 import OAuth2Settings
from analytics_assets.extract.http.oauth2.refresh_token import RefreshTokenGrant
from analytics_assets.extract.paging import duplicates, spool
from analytics_assets.extract.source import rest_api_source
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.paged_server import orders

duplicates.MAX_IN_MEMORY = duplicates.SAMPLE = 2
spool.MAX_IN_MEMORY = 10
config = {"client": {"base_url": sys.argv[1]}, "resources": [orders()]}
warehouse = Warehouse.from_settings("shop")
with warehouse.open(), warehouse.loading("orders") as pipeline:
    pipeline.run(rest_api_source(config, "shop"))
"""


@pytest.fixture
def temporary(clean_place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's folder for temporary files, empty."""
    folder = clean_place / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def test_a_load_that_is_killed_leaves_nothing_that_the_next_one_does_not_remove(
    temporary: Path, duckdb_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("READING__MAX_IN_FLIGHT", "1")
    answers = paged(rows(*range(100)))
    loads: list[subprocess.Popen[bytes]] = []

    def kill_at_the_tenth(asked: Request) -> Answer:
        if asked.number("offset") >= 20:
            loads[0].kill()
        return answers(asked)

    with serving(kill_at_the_tenth) as server:
        loads.append(subprocess.Popen([sys.executable, "-c", LOAD, server.base_url]))
        assert loads[0].wait() < 0

    folder = duckdb_warehouse.pipelines_dir
    left = {path.name.partition("-")[0] for path in folder.iterdir() if path.is_dir()}
    assert left == {"reader", "orders", "keys"}
    assert list(temporary.iterdir()) == []
    with duckdb_warehouse.open():
        (own,) = (path for path in folder.iterdir() if path.is_dir())
        assert own.name.startswith("reader-")
    assert not [path for path in folder.iterdir() if path.is_dir()]


def test_definitions_reads_and_tables_use_no_folder_of_the_system(
    clean_place: Path, duckdb_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(clean_place / "nowhere"))
    monkeypatch.setattr(duplicates, "MAX_IN_MEMORY", 2)
    monkeypatch.setattr(spool, "MAX_IN_MEMORY", 10)
    file = clean_place / "shop.yaml"
    file.write_text("openapi: 3.0.3\npaths: {}\n")

    build_definitions(api_of(file))
    with duckdb_warehouse.open() as tables:
        assert tables
    assert read(paged(rows(*range(9)))).rows == rows(*range(9))


def test_a_refresh_token_that_a_killed_process_was_writing_is_replaced(clean_place: Path) -> None:
    settings = OAuth2Settings()
    settings.refresh_token, settings.refresh_token_dir = "first", str(clean_place / "tokens")
    grant = RefreshTokenGrant(settings)
    with grant.parameters():
        (lock,) = (clean_place / "tokens").iterdir()
        part = lock.with_suffix(".part")
        part.write_text("half a tok")
        part.chmod(0o644)
        grant.rotate("second")

    (kept,) = (path for path in (clean_place / "tokens").iterdir() if path != lock)
    assert kept.read_text() == "second"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_what_duckdb_spilled_for_a_killed_process_is_removed_once_the_file_is_open(
    duckdb_warehouse: Warehouse,
) -> None:
    assert duckdb_warehouse.duckdb_file
    spilled = Path(f"{duckdb_warehouse.duckdb_file}.tmp")
    spilled.mkdir()
    of_another = spilled / "duckdb_temp_1_0_storage_DEFAULT-0.tmp"
    of_an_earlier = spilled / f"duckdb_temp_{os.getpid()}_0_owner"
    own = spilled / f"duckdb_temp_{os.getpid()}_1_owner"
    of_nobody = spilled / "notes.txt"
    for file in (of_another, of_an_earlier, own, of_nobody):
        file.touch()
    os.utime(of_an_earlier, (0, 0))

    with duckdb_warehouse.open():
        pass

    assert set(spilled.iterdir()) == {own, of_nobody}
