"""The command `contract`: compares the API's document with the stored one, and stores it."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from analytics_assets.defs.analytics.api import API
from analytics_assets_tests.cli.conftest import Invoke
from analytics_assets_tests.sandbox.test_openapi import document
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.sandbox import Sandbox

PATH = "/openapi.json"
Run = Callable[..., Result]


@pytest.fixture
def kept(api_file: Path) -> Path:
    """The stored document of the API, which the command replaces."""
    return api_file.with_name("openapi.json")


@pytest.fixture
def run(invoke: Invoke, api_file: Path, connected: Sandbox) -> Run:
    """Run the command on the API of a `defs/` of the test's own."""
    return partial(invoke, "contract")


@pytest.fixture
def changed(connected: Sandbox) -> Any:
    """A document of the API that differs from the stored one."""
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


def test_an_unchanged_document_stays_as_it_is(run: Run, kept: Path, connected: Sandbox) -> None:
    before = kept.read_bytes()

    for arguments in ([], ["--check"]):
        done = run(*arguments)
        assert done.exit_code == 0, done.output
        assert done.stdout.splitlines()[:2] == [f"Asking {connected.base_url} ...", "no change"]
        assert kept.read_bytes() == before


def test_changes_are_printed_line_by_line_and_the_new_document_is_stored(
    run: Run, kept: Path, changed: Any
) -> None:
    done = run()

    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[1:] == [*DRIFT, f"Stored in {kept}"]
    assert json.loads(kept.read_text())["paths"] == changed["paths"]
    assert run("--check").stdout.splitlines()[1:] == ["no change"]


def test_of_a_named_resource_its_own_changes_are_printed_and_others_are_named(
    run: Run, kept: Path, changed: Any
) -> None:
    others = "Others changed, too: website_overview (2 changes)"

    checked = run("analytics/page_views", "--check")
    assert checked.exit_code == 1
    assert checked.stdout.splitlines()[1:] == [DRIFT[2], others]
    untouched = run("traffic_sources", "--check")
    assert untouched.exit_code == 0
    assert untouched.stdout.splitlines()[1] == "no change"
    stored = run("page_views")
    assert stored.stdout.splitlines()[1:] == [DRIFT[2], others, f"Stored in {kept}"]
    assert json.loads(kept.read_text())["paths"] == changed["paths"]


def test_a_broken_reference_is_a_difference_of_its_resource_and_then_a_warning(
    run: Run, kept: Path, connected: Sandbox
) -> None:
    broken = document(connected)
    properties = broken["components"]["schemas"]["PageViews"]["properties"]
    properties["agent"] = {"$ref": "#/components/schemas/Gone"}
    connected.faults.add(Fault(path=PATH, times=None, body=json.dumps(broken)))
    place = "The API's document: the `$ref` at `#/components/schemas/PageViews/properties/agent`"
    problem = f"has no contract. {place} leads to `#/components/schemas/Gone`, which is not there"

    assert run().stdout.splitlines()[1:] == [f"page_views: {problem}", f"Stored in {kept}"]
    again = run("--check")
    assert again.exit_code == 0
    assert again.stdout.splitlines()[1:] == [f"page_views: still {problem}", "no change"]


def test_the_files_of_a_document_are_fetched_and_stored_with_it(
    run: Run, kept: Path, connected: Sandbox
) -> None:
    whole = document(connected)
    schemas = whole["components"].pop("schemas")
    text = json.dumps(whole).replace("#/components/schemas/", "parts/schemas.json#/")
    parts = json.dumps(schemas).replace("#/components/schemas/", "#/")
    connected.faults.add(Fault(path=PATH, times=None, body=text))
    connected.faults.add(Fault(path="/parts/schemas.json", times=None, body=parts))

    assert run("--check").stdout.splitlines()[1:] == ["no change"]
    assert run().exit_code == 0
    assert list(json.loads(kept.read_text())["x-files"]) == ["parts/schemas.json"]
    asked = [request for request in connected.requests if request.path.startswith("/parts")]
    assert [request.authorized for request in asked] == [True, True]
    assert run("--check").stdout.splitlines()[1:] == ["no change"]


def test_an_api_that_serves_no_document_is_refused_with_the_setting(
    run: Run, api_file: Path, connected: Sandbox
) -> None:
    text = api_file.read_text()
    assert "    openapi=" in text
    api_file.write_text(text.replace("    openapi=", "    openapi_path=None,\n    openapi=", 1))

    done = run()

    assert done.exit_code == 1
    assert "The analytics API has no `openapi_path`: set" in done.stderr
    assert connected.requests == []


def test_check_fails_on_drift_and_writes_nothing(run: Run, kept: Path, changed: Any) -> None:
    before = kept.read_bytes()

    done = run("--check")

    assert done.exit_code == 1
    assert done.stdout.splitlines()[1:] == DRIFT
    assert kept.read_bytes() == before


@pytest.mark.parametrize("broken", [None, "<<<<<<< HEAD\n{"])
def test_a_missing_or_broken_document_is_refused_by_check_and_stored_anew(
    run: Run, kept: Path, broken: str | None
) -> None:
    before = kept.read_bytes()
    kept.unlink()
    if broken:
        kept.write_text(broken)

    refused = run("--check")
    assert refused.exit_code == 1
    assert refused.stderr.startswith("Error: ")
    assert str(kept) in refused.stderr

    done = run()
    assert done.exit_code == 0, done.output
    assert "traffic_sources: added `country` (text)" in done.stdout.splitlines()
    assert kept.read_bytes() == before


def test_an_api_without_openapi_is_refused_with_the_setting(run: Run, api_file: Path) -> None:
    assert API.openapi
    lines = [line for line in api_file.read_text().splitlines() if "openapi=" not in line]
    api_file.write_text("\n".join(lines))

    done = run()

    assert done.exit_code == 1
    assert done.stderr.startswith("Error: The analytics API has no `openapi`: set it to the file")


def test_an_api_that_does_not_serve_its_document_is_one_sentence(
    run: Run, kept: Path, connected: Sandbox
) -> None:
    connected.faults.add(Fault(path=PATH, times=None, status=404))
    before = kept.read_bytes()

    done = run()

    assert done.exit_code == 1
    assert done.stderr.startswith(f"Error: GET {connected.base_url}{PATH}: the API answered 404")
    assert "Set `openapi_path`" in done.stderr
    assert "with `openapi=None` in `api.py` there is no contract." in done.stderr
    assert "Traceback" not in done.stderr
    assert kept.read_bytes() == before
