"""No secret is ever written: not by a run that succeeds, fails, or is killed.

More places and faults are in `hostile/secrets/`, within one process.
"""

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import dagster as dg
import pytest

from analytics_assets_tests.conftest import ROOT, TODAY, point_at
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.sandbox import Sandbox

MARKER = "marked/secret+word"
SPELLINGS = (b"marked/secret", b"marked%2Fsecret", b"bWFya2VkL3NlY3JldC")  # plain, form, base64
COMMAND = [
    sys.executable,
    "-m",
    "analytics_assets_tests.cli.command_line",
    "materialize",
    "--verbose",
]


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """An API whose client secret and refresh token are marked."""
    with Sandbox(today=TODAY, client_secret=MARKER, refresh_token=f"{MARKER}-refresh") as sandbox:
        point_at(sandbox, monkeypatch)
        monkeypatch.setenv("REFRESH_TOKEN", f"{MARKER}-refresh")
        yield sandbox


@pytest.fixture
def environment(clean_place: Path) -> Mapping[str, str]:
    """All logs at their most detailed level, and a marked password of the warehouse."""
    (clean_place / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text())
    server = os.environ.get("DESTINATION__POSTGRES__CREDENTIALS", "")
    marked = server.replace(":unused@", f":{quote(MARKER, safe='')}@")  # it takes any
    credentials = {"DESTINATION__POSTGRES__CREDENTIALS": marked} if server else {}
    return {"DAGSTER_HOME": str(clean_place), "RUNTIME__LOG_LEVEL": "DEBUG", **credentials}


def run(environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run `materialize` and keep all that it prints."""
    return subprocess.run(
        [*COMMAND, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        timeout=600,
        stdin=subprocess.DEVNULL,
    )


def leaks(folder: Path, *outputs: bytes) -> list[str]:
    """Return the names of the files and outputs with a marked secret."""
    places = {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    places |= {f"output {number}": output for number, output in enumerate(outputs)}
    return [place for place, content in places.items() if any(s in content for s in SPELLINGS)]


def test_a_leak_is_found_in_files_and_outputs(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"\0\0" + MARKER.encode())
    assert leaks(tmp_path, b"nothing", b"client_secret=marked%2Fsecret%2Bword") == [
        str(tmp_path / "file"),
        "output 1",
    ]


@pytest.mark.usefixtures("warehouse")
def test_a_run_that_succeeds_writes_no_secret(
    guarded: Sandbox, clean_place: Path, environment: Mapping[str, str]
) -> None:
    done = run(environment)
    assert done.returncode == 0, done.stderr
    assert leaks(clean_place, done.stdout, done.stderr) == []


@pytest.mark.usefixtures("duckdb_warehouse")
@pytest.mark.parametrize(
    "fault",
    [
        Fault(path="/oauth/token", times=None, status=401, body=f"you sent {MARKER}"),
        Fault(path="/v1/page_views", times=None, status=403, body=f"not with {MARKER}-refresh"),
    ],
    ids=["token", "rows"],
)
def test_a_run_that_fails_writes_no_secret_even_if_the_api_repeats_it(
    guarded: Sandbox, environment: Mapping[str, str], clean_place: Path, fault: Fault
) -> None:
    guarded.faults.add(fault)
    done = run(environment, "page_views")
    assert done.returncode == 1
    assert leaks(clean_place, done.stdout, done.stderr) == []
    with dg.DagsterInstance.from_config(str(clean_place)) as instance:
        assert instance.get_runs_count() == 2, "of the table, and of load_health"


@pytest.mark.usefixtures("duckdb_warehouse")
def test_a_run_that_is_killed_leaves_no_secret_in_its_working_files(
    guarded: Sandbox, environment: Mapping[str, str], clean_place: Path
) -> None:
    killed = subprocess.Popen(
        [*COMMAND, "page_views"], env={**os.environ, **environment}, stderr=subprocess.PIPE
    )
    assert killed.stderr
    # it waits with its next lines until it is killed, as nobody reads them
    fcntl.fcntl(killed.stderr, fcntl.F_SETPIPE_SZ, 4096)
    said = b""
    for line in killed.stderr:
        said += line
        if b"page_views: normalized" in line:
            break
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=600)
    assert any((clean_place / "pipelines").rglob("*.parquet"))
    assert leaks(clean_place, said) == []
