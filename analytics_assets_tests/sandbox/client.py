"""Requests to the embedded API over HTTP."""

from typing import Any

import requests

from analytics_assets.sandbox import Sandbox


def token_response(sandbox: Sandbox, **form: str) -> requests.Response:
    credentials = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
    grant = {"grant_type": "client_credentials"}
    return requests.post(sandbox.token_url, data=grant | credentials | form, timeout=60)


def access_token(sandbox: Sandbox) -> str:
    token = token_response(sandbox).json()["access_token"]
    assert isinstance(token, str)
    return token


def get_page(
    sandbox: Sandbox, resource: str, *, token: str | None = None, **query: Any
) -> requests.Response:
    return requests.get(
        f"{sandbox.base_url}/v1/{resource}",
        params=query,
        headers={"Authorization": f"Bearer {token or access_token(sandbox)}"},
        timeout=60,
    )


def collect(sandbox: Sandbox, resource: str, **query: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    token = access_token(sandbox)
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {token}"
        while True:
            response = session.get(
                f"{sandbox.base_url}/v1/{resource}",
                params={**query, "offset": len(rows)},
                timeout=60,
            )
            response.raise_for_status()
            page = response.json()
            rows += page["data"]
            if not page["data"] or len(rows) >= page["total"]:
                assert len(rows) == page["total"]
                return rows
