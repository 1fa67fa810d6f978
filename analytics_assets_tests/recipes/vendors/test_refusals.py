"""Wrong settings of recipes: `check` shows what the vendor says of them."""

from pathlib import Path

import pytest

from analytics_assets_tests.recipes.project import Project
from analytics_assets_tests.recipes.server import server_of


@pytest.mark.parametrize(
    ("vendor", "setting", "value", "sentence"),
    [
        ("google_analytics", "PROPERTY_ID", "7", "sufficient permissions for this property"),
        ("mixpanel", "PROJECT_ID", "7", "needs a project of its account"),
        ("pirsch", "CLIENT_SECRET", "a-wrong-secret", "client not found"),
        ("posthog", "TOKEN", "phx_wrong", "Invalid key"),
        ("umami", "API_KEY", "api_wrong", "Unauthorized"),
        ("matomo", "TOKEN_AUTH", "a-wrong-token", "Unable to authenticate with the provided token"),
        ("plausible", "SITE_ID", "example.org", "Invalid API key or site ID"),
        (
            "search_console",
            "CLIENT_ID",
            "no-one@a-project.iam.gserviceaccount.com",
            "invalid_grant",
        ),
    ],
)
def test_a_wrong_setting_is_refused_in_the_vendors_own_words(
    vendor: str,
    setting: str,
    value: str,
    sentence: str,
    clean_place: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with server_of(vendor) as server:
        project = Project(vendor, server, clean_place, monkeypatch)
        monkeypatch.setenv(setting, value)

        done = project.run("check")

    assert done.exit_code == 1
    assert sentence in done.output
