"""Processes that read from an API at once, forked from one that has read from it before.

Arguments: the API's base URL, the number of processes, the number of requests of each.
"""

import os
import signal
import sys
from contextlib import closing

import requests

from analytics_assets.extract.http.connection import connect

AHEAD = 8  # requests of a process, as far as the limits allow


def read(base_url: str, pages: int) -> None:
    """Request some pages of an API."""
    auth = {"auth": {"type": "oauth2"}} if os.environ.get("TOKEN_URL") else {}
    connection = connect({"base_url": base_url, **auth}, "shop")
    request = connection.prepare(
        requests.Request("GET", f"{base_url}/orders", auth=connection.auth)
    )
    with closing(connection.fetcher()) as fetcher:
        asked = 0
        for taken in range(pages):
            while asked < min(pages, taken + AHEAD):
                fetcher.request(request, f"{base_url}/orders?process={os.getpid()}&page={asked}")
                asked += 1
            assert fetcher.next_page(lambda page: page.status) == requests.codes.ok
    connection.close()


def main(base_url: str, processes: int, pages: int) -> None:
    """Read once, then in several processes at once."""
    read(base_url, 1)
    for _ in range(processes):
        if not os.fork():
            signal.alarm(300)
            read(base_url, pages)
            sys.exit()
    print(sorted(os.waitstatus_to_exitcode(os.wait()[1]) for _ in range(processes)))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
