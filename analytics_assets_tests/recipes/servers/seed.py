"""The API of the project's first configuration: OAuth2, offsets, rows under `data`."""

import json
from typing import Any, ClassVar

from analytics_assets_tests.recipes.server import DAYS, Answer, Request, Row, Table, VendorServer

TOKEN = "granted-token"
CLIENT = {"client_id": "the-client", "client_secret": "the-secret"}
MOST_ROWS = 100  # of a page, whatever is asked for
NAMES = ("website_overview", "daily_active_users", "traffic_sources")


class SeedServer(VendorServer):
    """An API whose pages are cut by `offset` and `limit`, and state no total."""

    resources: ClassVar = {name: Table(is_alike=name != NAMES[0]) for name in NAMES}

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[str, list[dict[str, Any]]] = {
            name: [
                {"id": f"{day}-{number}", "date": day, "analytics_id": name, "sessions": number}
                for day in DAYS
                for number in range(80)
            ]
            for name in NAMES
        }

    def settings(self) -> dict[str, str]:
        return {
            "BASE_URL": self.url,
            "TOKEN_URL": f"{self.url}/token",
            **{name.upper(): value for name, value in CLIENT.items()},
        }

    def answer(self, request: Request) -> Answer:
        if request.path == "/token":
            return self._token(request)
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return Answer({"error": "invalid_token"}, 401)
        rows = self.rows.get(request.path.removeprefix("/v1/"))
        if rows is None:
            return Answer({"error": "not_found"}, 404)
        offset, limit = request.number("offset"), request.number("limit", 20)
        return Answer({"data": rows[offset : offset + min(limit, MOST_ROWS)]})

    def quota_answer(self) -> Answer:
        return Answer({"error": "too_many_requests"}, 429, {"Retry-After": "0"})

    def expected(self, resource: str) -> list[Row]:
        copied: list[Row] = json.loads(json.dumps(self.rows[resource]))
        return copied

    def restate(self, day: str) -> None:
        for rows in self.rows.values():
            for row in rows:
                if row["date"] == day:
                    row["sessions"] += 1000
            rows.append({**rows[0], "id": f"{day}-late", "date": day})

    def _token(self, request: Request) -> Answer:
        if request.form != {"grant_type": "client_credentials", **CLIENT}:
            return Answer({"error": "invalid_client"}, 401)
        return Answer({"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600})
