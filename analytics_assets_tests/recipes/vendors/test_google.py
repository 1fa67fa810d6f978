"""Google's reports beside the scenarios of all recipes: sign-in, samples, filters."""

from pathlib import Path

import pytest

from analytics_assets_tests.recipes.project import Project, comparable
from analytics_assets_tests.recipes.servers.google_analytics import GoogleAnalyticsServer
from analytics_assets_tests.recipes.servers.search_console import SearchConsoleServer


@pytest.mark.parametrize(
    ("vendor", "kind"),
    [("google_analytics", GoogleAnalyticsServer), ("search_console", SearchConsoleServer)],
)
def test_a_refresh_token_signs_in_in_place_of_a_service_account(
    vendor: str,
    kind: type[GoogleAnalyticsServer | SearchConsoleServer],
    clean_place: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with kind() as server:
        project = Project(vendor, server, clean_place, monkeypatch)
        monkeypatch.delenv("PRIVATE_KEY")
        for name, value in server.refresh_token_settings.items():
            monkeypatch.setenv(name, value)

        done = project.run("check")

    assert done.exit_code == 0, done.output
    [granted, *_] = [each.form for each in server.seen if each.path == "/token"]
    assert granted["grant_type"] == "refresh_token"


def test_a_sampled_span_is_requested_again_day_by_day(
    clean_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with GoogleAnalyticsServer() as server:
        server.sampled_above = 1
        project = Project("google_analytics", server, clean_place, monkeypatch)

        done = project.run("materialize", "traffic")

        key = server.resources["traffic"].key
        assert done.exit_code == 0, done.output
        assert project.table("traffic", key) == comparable(server.expected("traffic"), key)


def test_days_that_are_sampled_themselves_are_loaded_and_told(
    clean_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with GoogleAnalyticsServer() as server:
        server.sampled_above = 0
        project = Project("google_analytics", server, clean_place, monkeypatch)

        done = project.run("materialize", "traffic")

    assert done.exit_code == 0, done.output
    assert "answer_quality" in done.output
