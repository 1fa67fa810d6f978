"""Limits of vendors that outlast a load: it fails and says so, and a later one brings all rows."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from analytics_assets_tests.recipes.project import Project, comparable
from analytics_assets_tests.recipes.server import VendorServer, server_of
from analytics_assets_tests.recipes.servers import hubspot

ATTEMPTS = 4  # of a request


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[VendorServer]:
    """The server of a vendor, by the test's parameter."""
    with server_of(request.param) as running:
        yield running


@pytest.mark.parametrize(
    ("server", "resource", "sentence"),
    [
        ("hubspot", "companies", "its limit was still exceeded after the retries"),
        ("stripe", "customers", "its limit was still exceeded after the retries"),
        ("github", "repositories", "API rate limit exceeded"),
        ("google_analytics", "devices", "Exhausted property tokens for a project per hour"),
        ("plausible", "devices", "Your API key is limited to 600 requests per hour"),
    ],
    indirect=["server"],
)
def test_a_quota_that_stays_used_up_fails_the_load_and_not_the_next_one(
    server: VendorServer,
    resource: str,
    sentence: str,
    request: pytest.FixtureRequest,
    clean_place: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    vendor = request.node.callspec.params["server"]
    project = Project(vendor, server, clean_place, monkeypatch)
    server.quota(ATTEMPTS)

    failed = project.run("materialize", resource)
    loaded = project.run("materialize", resource)

    assert (failed.exit_code, loaded.exit_code) == (1, 0)
    assert sentence in failed.output
    key = server.resources[resource].key
    assert project.table(resource, key) == comparable(server.expected(resource), key)


@pytest.mark.parametrize("server", ["hubspot"], indirect=True)
def test_a_search_is_read_beyond_the_objects_that_hubspot_pages_through(
    server: VendorServer, clean_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubspot, "MOST_FOUND", hubspot.MOST_SEARCHED)  # in place of 10,000
    project = Project("hubspot", server, clean_place, monkeypatch)

    done = project.run("materialize", "deals")

    assert done.exit_code == 0, done.output
    deals = project.table("deals", ["id"])
    assert len(deals) > hubspot.MOST_FOUND
    assert deals == comparable(server.expected("deals"), ["id"])
