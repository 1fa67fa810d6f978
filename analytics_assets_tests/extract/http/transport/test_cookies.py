from concurrent.futures import ThreadPoolExecutor

from analytics_assets_tests.support.http.exchange import Answer, Request
from analytics_assets_tests.support.http.fetching import connected, page_of
from analytics_assets_tests.support.http.server import Server


def test_a_cookie_is_sent_with_the_requests_that_follow() -> None:
    with Server(lambda _request: Answer([1], 200, {"Set-Cookie": "shop=7"})) as server:
        connection = connected(server.base_url)
        for _ in range(2):
            page_of(connection)

    assert [each.headers.get("cookie") for each in server.requests] == [None, "shop=7"]


def test_a_cookie_of_the_configuration_is_sent_beside_those_of_the_api() -> None:
    with Server(lambda _request: Answer([1], 200, {"Set-Cookie": "shop=7"})) as server:
        connection = connected(server.base_url)
        for _ in range(2):
            page_of(connection, headers={"Cookie": "mine=1"})

    assert [each.headers.get("cookie") for each in server.requests] == [
        "mine=1",
        "shop=7; mine=1",
    ]


def test_cookies_of_one_api_are_not_those_of_another_one() -> None:
    with Server(lambda _request: Answer([1], 200, {"Set-Cookie": "shop=7"})) as server:
        page_of(connected(server.base_url))
        page_of(connected(server.base_url))

    assert [each.headers.get("cookie") for each in server.requests] == [None, None]


def test_several_cookies_are_kept_each_for_its_path_until_they_are_over() -> None:
    cookies = {"/set": "a=1; Path=/", "/x/set": "b=2; Path=/x", "/end": "a=; Path=/; Max-Age=0"}

    def answer(request: Request) -> Answer:
        cookie = cookies.get(request.path)
        return Answer([1], 200, {"Set-Cookie": cookie} if cookie else {})

    with Server(answer) as server:
        connection = connected(server.base_url)
        for path in ("/set", "/x/set", "/x/y", "/y", "/end", "/y", "/x/y"):
            page_of(connection, path)

    sent = [each.headers.get("cookie") for each in server.requests]
    assert sent == [None, "a=1", "b=2; a=1", "a=1", "a=1", None, "b=2"]


def test_cookies_are_kept_between_pages_in_flight_and_reads_in_threads() -> None:
    with Server(lambda _request: Answer([1], 200, {"Set-Cookie": "shop=7; Path=/"})) as server:
        connection = connected(server.base_url)
        page_of(connection)
        with ThreadPoolExecutor(4) as threads:
            for each in [threads.submit(page_of, connection) for _ in range(40)]:
                assert each.result().status == 200

    assert {each.headers.get("cookie") for each in server.requests[1:]} == {"shop=7"}
