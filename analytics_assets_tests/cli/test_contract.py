"""The command that keeps the API's document, run as a user runs it: in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analytics_assets.defs.analytics.api import API
from analytics_assets_tests.sandbox.test_openapi import document
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.project import copy_project
from analytics_assets_tests.support.sandbox import Sandbox

PATIENCE = 120  # seconds that a command may take on a busy machine
PATH = "/openapi.json"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def api(clean_place: Path) -> Path:
    """The analytics API in a copy of the project: the command writes into it."""
    return copy_project(clean_place)


@pytest.fixture
def kept(api: Path) -> Path:
    return api / "openapi.json"


@pytest.fixture
def run(clean_place: Path, api: Path, connected: Sandbox) -> Run:
    """Run the command from the copy."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "analytics_assets.cli.main", "contract", *arguments],
            env={**os.environ, "PYTHONPATH": str(clean_place)},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            stdin=subprocess.DEVNULL,
        )

    return run


@pytest.fixture
def changed(connected: Sandbox) -> Any:
    """Have the API serve a document that differs from the kept one."""
    changed = document(connected)
    schemas = changed["components"]["schemas"]
    overview = schemas["WebsiteOverview"]["properties"]
    overview["sessions"]["type"] = "string"
    overview["engaged"] = {"type": "boolean"}
    del schemas["PageViews"]["properties"]["agent"]
    connected.faults.add(Fault(path=PATH, times=None, body=json.dumps(changed)))
    return changed


DRIFT = [
    "website_overview: added `engaged` (bool)",
    "website_overview: `sessions` was bigint and is text",
    "page_views: removed `agent` (text)",
]


def test_a_document_that_has_not_changed_is_kept_as_it_was(
    run: Run, kept: Path, connected: Sandbox
) -> None:
    before = kept.read_bytes()

    for arguments in ([], ["--check"]):
        done = run(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.splitlines()[:2] == [f"Asking {connected.base_url} ...", "no change"]
        assert kept.read_bytes() == before


def test_drift_is_told_line_by_line_and_the_new_document_kept(
    run: Run, kept: Path, changed: Any
) -> None:
    done = run()

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[1:] == [*DRIFT, f"Stored in {kept}"]
    assert json.loads(kept.read_text())["paths"] == changed["paths"]
    assert run("--check").stdout.splitlines()[1:] == ["no change"]


def test_check_fails_on_drift_and_writes_nothing(run: Run, kept: Path, changed: Any) -> None:
    before = kept.read_bytes()

    done = run("--check")

    assert done.returncode == 1
    assert done.stdout.splitlines()[1:] == DRIFT
    assert kept.read_bytes() == before


@pytest.mark.parametrize("broken", [None, "<<<<<<< HEAD\n{"])
def test_a_document_that_is_not_there_or_broken_is_kept_anew(
    run: Run, kept: Path, broken: str | None
) -> None:
    before = kept.read_bytes()
    kept.unlink()
    if broken:
        kept.write_text(broken)

    refused = run("--check")
    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: ")
    assert str(kept) in refused.stderr

    done = run()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "traffic_sources: added `country` (text)" in done.stdout.splitlines()
    assert kept.read_bytes() == before


def test_an_api_without_a_document_is_told_what_to_set(run: Run, api: Path) -> None:
    assert API.openapi
    api = api / "api.py"
    lines = [line for line in api.read_text().splitlines() if "openapi=" not in line]
    api.write_text("\n".join(lines))

    done = run()

    assert done.returncode == 1
    assert done.stderr.startswith("Error: The analytics API has no `openapi`: set it to the file")


def test_an_api_that_does_not_serve_its_document_is_said_in_a_sentence(
    run: Run, kept: Path, connected: Sandbox
) -> None:
    connected.faults.add(Fault(path=PATH, times=None, status=404))
    before = kept.read_bytes()

    done = run()

    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: GET {connected.base_url}{PATH}: the API answered 404")
    assert "Set `openapi_path`" in done.stderr
    assert "`openapi=None` in `api.py` does without one." in done.stderr
    assert "Traceback" not in done.stderr
    assert kept.read_bytes() == before
