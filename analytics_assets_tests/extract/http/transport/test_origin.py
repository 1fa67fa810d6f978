import pytest

from analytics_assets.config.errors import ConfigurationError
from analytics_assets.extract.http.transport.origin import Origin, Origins

API = Origin.of("https://api.example.com")


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com/orders?page=2",
        "https://api.example.com?page=2",
        "https://api.example.com#a",
        "HTTPS://API.Example.COM/",
        "https://api.example.com:443/",
        "https://api.example.com./",
        "https://api.example.com.:443/",
        "https://me:secret@api.example.com/",
        "https://api.example.com:/",
    ],
)
def test_an_origin_has_many_spellings(url: str) -> None:
    assert Origin.of(url) == API


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com/",
        "http://api.example.com:443/",
        "https://api.example.com:8443/",
        "https://example.com/",
        "https://a.api.example.com/",
        "https://api.example.com@evil.test/",
        "https://api.example.com.evil.test/",
        "https://evil.test/https://api.example.com/",
        "https://evil.test?https://api.example.com/",
        "https://аpi.example.com/",  # noqa: RUF001 - the first letter is Cyrillic
    ],
)
def test_another_scheme_host_or_port_is_another_origin(url: str) -> None:
    assert Origin.of(url) != API


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("https://bücher.example/", "https://xn--bcher-kva.example"),
        ("https://BÜCHER.example./", "https://xn--bcher-kva.example"),
        ("http://[::1]:80/", "http://[0:0:0:0:0:0:0:1]"),
        ("http://[2001:DB8::1]:8080/", "http://[2001:db8::1]:8080"),
    ],
)
def test_international_names_and_addresses_have_one_form(url: str, same: str) -> None:
    assert Origin.of(url) == Origin.of(same)


@pytest.mark.parametrize(
    "url",
    ["", "/orders", "file:///etc/passwd", "ftp://a.test/", "http://", "http:///a", "http://a:x/"],
)
def test_what_is_no_url_of_http_has_no_origin(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Origin.of(url)


@pytest.mark.parametrize(
    ("host", "admitted"),
    [
        ("files.test", {"http://files.test", "https://files.test"}),
        ("files.test:8080", {"http://files.test:8080", "https://files.test:8080"}),
        ("https://files.test", {"https://files.test"}),
        ("http://[::1]:8080", {"http://[::1]:8080"}),
    ],
)
def test_a_host_is_admitted_by_its_scheme_or_by_those_that_are_safe(
    host: str, admitted: set[str]
) -> None:
    origins = Origins.of("http://api.test", {host: False})

    assert {str(each) for each in origins.anonymous} == admitted
    assert origins.own == (Origin.of("http://api.test"),)


def test_a_host_of_http_beside_https_is_a_mistake() -> None:
    with pytest.raises(ConfigurationError, match=r"`http://files\.test`|http://files\.test"):
        Origins.of("https://api.test", {"http://files.test": True})


def test_a_path_of_an_entry_gets_credentials_unless_its_host_is_admitted_without() -> None:
    origins = Origins.of("https://api.test", {"files.test": False})

    assert origins.including("https://other.test/a").own == (
        *origins.own,
        Origin.of("https://other.test"),
    )
    assert origins.including("https://files.test/a") == origins
