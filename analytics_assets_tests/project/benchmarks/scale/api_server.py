"""A small API in a process of its own: the same rows for each resource, a few for each day.

`/<rows a day>x<days>/v1/<resource>` has that many rows of the days up to yesterday; the parameters
`start_date` and `end_date` limit them to some days. `/requests` has the number of requests so far.
"""

import asyncio
import json
import re
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl
from urllib.request import urlopen

import uvicorn

COUNTRIES = ("DE", "FR", "JP", "US")
REQUESTS = "requests"
SIZE = re.compile(r"/(\d+)x(\d+)/")
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class SmallApi:
    """The ASGI application.

    Args:
        delay: seconds until it answers.
    """

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._requests = 0

    async def __call__(self, scope: MutableMapping[str, Any], _: Receive, send: Send) -> None:
        """Answer a request."""
        path, query = scope["path"], dict(parse_qsl(scope["query_string"].decode()))
        if size := SIZE.match(path):
            self._requests += 1
            await asyncio.sleep(self._delay)
            answer: Any = page(int(size[1]), int(size[2]), query)
        else:
            answer = self._requests
        body = json.dumps(answer).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def last_days(days: int) -> list[date]:
    """Return the days up to yesterday, in UTC."""
    today = datetime.now(UTC).date()
    return [today - timedelta(before) for before in range(days, 0, -1)]


def page(rows_a_day: int, days: int, query: dict[str, str]) -> dict[str, Any]:
    """Return a page of rows, and the number of all."""
    known = last_days(days)
    first, last = known[0], known[-1]
    if "start_date" in query:
        first = max(first, date.fromisoformat(query["start_date"]))
        last = min(last, date.fromisoformat(query["end_date"]))
    total = max(0, (last - first).days + 1) * rows_a_day
    offset, limit = int(query.get("offset", 0)), int(query.get("limit", 100))
    places = range(offset, min(offset + limit, total))
    rows = [row(first + timedelta(place // rows_a_day), place % rows_a_day) for place in places]
    return {"data": rows, "total": total}


def row(day: date, number: int) -> dict[str, Any]:
    """Return a row of a day."""
    return {
        "id": f"{day}-{number:09}",
        "date": day.isoformat(),
        "country": COUNTRIES[number % len(COUNTRIES)],
        "sessions": number,
        "updated_at": f"{day}T12:00:00Z",
    }


def document(resources: int) -> dict[str, Any]:
    """Return the OpenAPI document of some resources."""
    text = {"type": "string"}
    properties = {
        "id": text,
        "date": {**text, "format": "date"},
        "country": text,
        "sessions": {"type": "integer"},
        "updated_at": {**text, "format": "date-time"},
    }
    fields = {"type": "object", "properties": properties, "required": list(properties)}
    rows = {"type": "array", "items": fields}
    content = {"application/json": {"schema": {"type": "object", "properties": {"data": rows}}}}
    get = {"responses": {"200": {"description": "rows", "content": content}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "scale", "version": "1"},
        "paths": {f"/v1/resource_{number}": {"get": get} for number in range(resources)},
    }


@contextmanager
def serving(delay: float = 0.0) -> Iterator[str]:
    """Start the API, and yield its URL."""
    command = [sys.executable, "-m", __name__, str(delay)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


def requests_of(url: str) -> int:
    """Return the number of requests for rows that the API has answered."""
    with urlopen(f"{url}/{REQUESTS}") as response:
        return int(json.load(response))


def main() -> None:
    """Serve with the delay of the command line, and print the port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        sys.stdout.write(f"{listening.getsockname()[1]}\n")
        sys.stdout.flush()
        config = uvicorn.Config(
            SmallApi(float(sys.argv[1])), log_level="error", access_log=False, lifespan="off"
        )
        uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
