"""Links and redirects from HTTPS to HTTP, and the hosts that a configuration admits."""

import pytest
import requests

from analytics_assets.config.errors import ConfigurationError
from analytics_assets.extract.http.errors import LinkError
from analytics_assets.extract.http.transport.origin import Origins


def request_for(url: str) -> requests.PreparedRequest:
    return requests.Request("GET", url).prepare()


@pytest.mark.parametrize("verb", ["links", "redirects"])
@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://api.test/orders", id="HTTPS falls back to HTTP on the same host"),
        pytest.param("http://api.test:443/orders", id="HTTPS falls back to HTTP on the same port"),
        pytest.param("http://old.test/orders", id="HTTPS falls back to an origin of the entry"),
    ],
)
def test_https_never_falls_back_to_http(url: str, verb: str) -> None:
    origins = Origins.of("https://api.test").including("http://old.test/orders")

    with pytest.raises(LinkError, match=r"from https://api\.test: HTTPS never falls back") as error:
        origins.admit(request_for(url), request_for("https://api.test/orders?page=1"), verb=verb)

    assert f"the API {verb} to http://" in str(error.value)


def test_the_first_request_of_an_entry_may_be_for_http() -> None:
    origins = Origins.of("https://api.test").including("http://old.test/orders")
    request = request_for("http://old.test/orders")

    assert origins.admit(request) is request


def test_a_host_of_http_is_not_admitted_beside_a_base_url_of_https() -> None:
    with pytest.raises(ConfigurationError, match="never falls back"):
        Origins.of("https://api.test", {"http://files.test": False})


def test_a_host_without_a_scheme_is_admitted_by_https_alone() -> None:
    origins = Origins.of("https://api.test", {"files.test": True})

    assert origins.admit(request_for("https://files.test/"))
    with pytest.raises(LinkError, match="another origin"):
        origins.admit(request_for("http://files.test/"))
