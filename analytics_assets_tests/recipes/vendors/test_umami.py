"""The recipe of Umami on an instance of one's own, which has no keys."""

import re
from typing import Any

import pytest

from analytics_assets import rest_api_source
from analytics_assets.recipes.umami.api import API
from analytics_assets_tests.conftest import ROOT
from analytics_assets_tests.recipes.servers.umami import BASE, USER, WEBSITES, UmamiServer


def auth_of_page() -> str:
    """The `auth` that the recipe's page gives."""
    page = (ROOT / "analytics_assets" / "recipes" / "umami" / "README.md").read_text()
    found = re.search(r'"auth": (\{.*?\n\}),', page, re.DOTALL)
    assert found
    return found[1].replace("dlt.secrets.value", "None")


def test_the_sign_in_of_the_page_reads_an_instance_of_ones_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("USER_NAME", USER["username"])
    monkeypatch.setenv("USER_PASSWORD", USER["password"])
    with UmamiServer() as server:
        literal = auth_of_page().replace(
            "https://umami.example.com/api", f"{server.url}{BASE}"[:-1]
        )
        auth: dict[str, Any] = eval(literal)  # of this repository
        client = {"base_url": f"{server.url}{BASE}", "auth": auth}
        source = rest_api_source({**API.config, "client": client}, "umami")
        rows = list(source.resources["websites"])

    assert [row["id"] for row in rows] == list(WEBSITES)
