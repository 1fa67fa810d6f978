"""The command `preview`: tables on the terminal, or one JSON document; nothing is written."""

import json
from pathlib import Path

import pytest
from rich.console import Console

from analytics_assets.cli.commands.preview import display
from analytics_assets.defs.analytics.api import API
from analytics_assets_tests.cli.conftest import Invoke
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.sandbox import Sandbox


def files_in(folder: Path) -> set[str]:
    return {str(each) for each in folder.rglob("*")}


def test_one_resource_is_shown_with_its_columns_and_nothing_is_written(
    invoke: Invoke, connected: Sandbox, clean_place: Path
) -> None:
    before = files_in(clean_place)

    done = invoke("preview", "analytics/page_views", "--rows", "2")

    assert done.exit_code == 0, done.output
    first, asked, *lines = done.stdout.splitlines()
    assert first.startswith("analytics/page_views: 100 rows on the first page; next is offset=100")
    assert asked == f"    GET {connected.base_url}/v1/page_views?offset=0&limit=100"
    assert any(line.split()[:2] == ["id", "analytics_id"] for line in lines)
    assert any(line.split()[:5] == ["id", "(key)", "text", "no", "contract"] for line in lines)
    assert sum(line.startswith(" 2025") for line in lines) == 2
    assert files_in(clean_place) == before


def test_all_resources_are_shown_short(invoke: Invoke, connected: Sandbox) -> None:
    done = invoke("preview")

    assert done.exit_code == 0, done.output
    for name in API.resources:
        assert f"analytics/{name}: " in done.stdout
    assert "contract" not in done.stdout


def test_json_is_one_document_alone_on_standard_output(invoke: Invoke, connected: Sandbox) -> None:
    connected.faults.add(Fault(path="/v1/traffic_sources", times=None, status=404))

    done = invoke("preview", "analytics", "--json", "--rows", "1")

    assert done.exit_code == 1
    found = {each["resource"]: each for each in json.loads(done.stdout)["resources"]}
    assert list(found) == [f"analytics/{name}" for name in API.resources]
    shown = found["analytics/page_views"]
    assert len(shown["rows"]) == 1
    assert shown["rows"][0].keys() == {column["name"] for column in shown["columns"]}
    assert shown["asked"]["method"] == "GET"
    assert "404" in found["analytics/traffic_sources"]["error"]


def test_a_secret_in_a_row_is_not_printed(
    invoke: Invoke, connected: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLIENT_SECRET", "wrong-secret-marker")

    done = invoke("preview", "page_views", "--json")

    assert done.exit_code == 1
    assert "invalid_client" in done.stdout
    assert "wrong-secret-marker" not in done.output


def test_a_table_is_no_wider_than_the_terminal(
    invoke: Invoke, connected: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(display, "is_terminal", lambda: True)
    monkeypatch.setattr(display, "console", lambda: Console(width=60))

    lines = invoke("preview", "page_views", "--rows", "2").stdout.splitlines()

    [heading] = [line for line in lines if line.split()[:1] == ["id"] and "(key)" not in line]
    assert len(heading) <= 60
    [left] = [line for line in lines if line.startswith("and `")]
    assert "`page_views`" in left
