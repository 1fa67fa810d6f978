import pytest

from analytics_assets.config.errors import SettingsError
from analytics_assets.extract.http.connection import connect


@pytest.mark.parametrize("name", ["MAX_IN_FLIGHT", "MAX_PER_SECOND"])
@pytest.mark.parametrize("value", ["0", "-1"])
def test_a_limit_that_allows_no_request_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"READING__{name}", value)

    with pytest.raises(SettingsError, match=f"`reading.{name.lower()}` is {value}"):
        connect({"base_url": "http://127.0.0.1"}, "shop")


@pytest.mark.parametrize("name", ["MAX_IN_FLIGHT", "MAX_PER_SECOND", "ADAPTIVE"])
def test_a_limit_of_another_type_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"READING__{name}", "as you like")

    with pytest.raises(SettingsError, match=f"`reading.{name.lower()}`"):
        connect({"base_url": "http://127.0.0.1"}, "shop")


def max_in_flight(resource: str = "", url: str = "http://127.0.0.1") -> int:
    return connect({"base_url": url}, "shop", resource=resource).rate_limit.max_in_flight


def test_limits_are_set_for_all_apis_for_one_and_for_one_resource(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert max_in_flight("orders") == 16
    monkeypatch.setenv("READING__MAX_IN_FLIGHT", "8")
    assert max_in_flight("orders") == max_in_flight() == 8
    monkeypatch.setenv("SOURCES__SHOP__READING__MAX_IN_FLIGHT", "4")
    assert max_in_flight("orders") == max_in_flight() == 4
    monkeypatch.setenv("SOURCES__SHOP__ORDERS__READING__MAX_IN_FLIGHT", "2")
    assert (max_in_flight("orders"), max_in_flight("refunds"), max_in_flight()) == (2, 4, 4)
