"""Google's reports beside the scenarios of all recipes: sign-in, samples, filters."""

from pathlib import Path

import pytest

from analytics_assets_tests.recipes.project import Project
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
