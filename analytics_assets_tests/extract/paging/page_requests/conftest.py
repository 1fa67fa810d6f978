import pytest

from analytics_assets_tests.extract.paging.page_requests.forty_orders import MAX_IN_FLIGHT


@pytest.fixture
def full_concurrency(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many pages are in flight as allowed, from the start."""
    monkeypatch.setenv("READING__ADAPTIVE", "false")
    monkeypatch.setenv("READING__MAX_IN_FLIGHT", str(MAX_IN_FLIGHT))
