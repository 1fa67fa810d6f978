"""Recorded answers of a vendor's list endpoint, and a server that repeats them."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from dlt.common import jsonpath

from analytics_assets_tests.support.http.exchange import Answer, Request
from analytics_assets_tests.support.http.server import Server

FOLDER = Path(__file__).with_name("payloads")
VENDORS = sorted(path.stem for path in FOLDER.glob("*.json"))


class Recording:
    """The answers of one vendor's endpoint, in the form that its documentation shows.

    Args:
        vendor: the name of the file.
    """

    def __init__(self, vendor: str) -> None:
        self._content = json.loads((FOLDER / f"{vendor}.json").read_text(encoding="utf-8"))
        self.vendor = vendor
        self.entry: dict[str, Any] = {"name": vendor, **self._content["entry"]}

    @property
    def path(self) -> str:
        """The path of the endpoint."""
        return str(self.entry["endpoint"]["path"])

    @property
    def policy(self) -> dict[str, Any]:
        """The policy that the endpoint needs."""
        return dict(self._content.get("policy", {}))

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the rows of all pages, each once."""
        for exchange in self._content["exchanges"]:
            if exchange["response"].get("status", 200) == 200:
                found = jsonpath.find_values(self._content["rows"], exchange["response"]["body"])
                yield from found[0] if found else []

    def answer(self, request: Request) -> Answer | None:
        """Return the recorded answer to a request; None if there is none."""
        for exchange in self._content["exchanges"]:
            if _fits(exchange["request"], request, self.path):
                return Answer(**exchange["response"])
        return None


def _fits(recorded: dict[str, Any], request: Request, path: str) -> bool:
    body = recorded.get("body", {})
    return bool(
        request.path == recorded.get("path", path)
        and request.query == recorded.get("query", {})
        and body.items() <= (request.body or {}).items()
    )


def serving(recordings: Sequence[Recording]) -> Server:
    """A server that repeats the recordings, for a `with` block."""

    def answer(request: Request) -> Answer:
        answers = (recording.answer(request) for recording in recordings)
        found = next(filter(None, answers), None)
        assert found, f"no answer is recorded for {request}"
        text = json.dumps([found.body, dict(found.headers)]).replace("{base_url}", server.base_url)
        body, headers = json.loads(text)
        return Answer(body, found.status, headers)

    server = Server(answer)
    return server
