from analytics_assets.extract.http.transport.cookies import Cookies
from analytics_assets_tests.support.http.exchange import Answer
from analytics_assets_tests.support.http.fetching import connected, page_of
from analytics_assets_tests.support.http.server import Server


def test_a_cookie_is_sent_with_the_requests_that_follow() -> None:
    with Server(lambda _request: Answer([1], 200, {"Set-Cookie": "shop=7"})) as server:
        connection = connected(server.base_url)
        for _ in range(2):
            page_of(connection)

    assert [each.headers.get("cookie") for each in server.requests] == [None, "shop=7"]


def test_a_cookie_of_the_configuration_goes_before_one_of_the_api() -> None:
    with Server(lambda _request: Answer([1], 200, {"Set-Cookie": "shop=7"})) as server:
        connection = connected(server.base_url)
        for _ in range(2):
            page_of(connection, headers={"Cookie": "mine=1"})

    assert [each.headers.get("cookie") for each in server.requests] == ["mine=1", "mine=1"]


def test_cookies_of_one_api_are_not_those_of_another_one() -> None:
    with Server(lambda _request: Answer([1], 200, {"Set-Cookie": "shop=7"})) as server:
        page_of(connected(server.base_url))
        page_of(connected(server.base_url))

    assert [each.headers.get("cookie") for each in server.requests] == [None, None]


def test_several_cookies_are_kept_each_for_its_host_and_path() -> None:
    cookies = Cookies()
    cookies.keep("http://a.test/x/y", ["one=1; Path=/", "two=2; Path=/x", "three=3; Secure"])

    assert cookies.header_for("http://a.test/x/z") == "two=2; one=1"
    assert cookies.header_for("http://a.test/") == "one=1"
    assert cookies.header_for("http://b.test/x") is None


def test_a_cookie_that_is_over_is_not_sent() -> None:
    cookies = Cookies()
    cookies.keep("http://a.test/", ["one=1; Path=/"])
    cookies.keep("http://a.test/", ["one=; Path=/; Max-Age=0"])

    assert cookies.header_for("http://a.test/") is None
