"""Settings that the tests of this folder give: complete ones, and ones left open."""

import dlt
import pytest

COMPLETE = {
    "type": "oauth2",
    "token_url": "https://auth.example.com/token",
    "client_id": "literal-client",
    "client_secret": "literal-secret",
}
OPEN = {
    "type": "oauth2",
    "token_url": dlt.config.value,
    "client_id": dlt.secrets.value,
    "client_secret": dlt.secrets.value,
}
BASE_URL = "https://api.example.com"


def set_all(monkeypatch: pytest.MonkeyPatch, **settings: str) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
