"""Each test is named after the behaviour of a package that is worked around here."""

from typing import Any

import pytest
import requests
from dlt.common.configuration import configspec
from dlt.common.configuration.exceptions import ConfigFieldMissingException
from dlt.sources.helpers.rest_client.auth import AuthConfigBase, BearerTokenAuth, HttpBasicAuth
from dlt.sources.rest_api import rest_api_resources

from analytics_assets.extract.http.compat import (
    create_auth,
    with_encoded_dots,
)


@pytest.mark.parametrize(
    ("auth", "expected"),
    [
        ({"type": "bearer", "token": "a-token"}, BearerTokenAuth),
        ({"token": "a-token"}, BearerTokenAuth),
        ({"type": "http_basic", "username": "me", "password": "secret"}, HttpBasicAuth),
        (BearerTokenAuth("a-token"), BearerTokenAuth),
        ("bearer", BearerTokenAuth),
    ],
)
def test_dlt_has_no_public_way_to_an_auth_object(
    monkeypatch: pytest.MonkeyPatch, auth: Any, expected: type
) -> None:
    monkeypatch.setenv("CREDENTIALS__TOKEN", "a-token")

    assert type(create_auth(auth)) is expected


def test_dlt_resolves_an_auth_that_it_creates() -> None:
    with pytest.raises(ConfigFieldMissingException):
        create_auth({"type": "bearer"})


class Copied:
    """An object that counts its copies."""

    copies = 0

    def __deepcopy__(self, memo: object) -> "Copied":
        self.copies += 1
        return self


def test_dlt_copies_the_objects_of_a_configuration() -> None:
    """The reason for `__deepcopy__` of `OAuth2`."""
    copied = Copied()
    config: Any = {
        "client": {"base_url": "http://a.test"},
        "resources": [{"name": "orders", "endpoint": {"params": {"copied": copied}}}],
    }

    rest_api_resources(config)

    assert copied.copies


@configspec
class Unresolved(AuthConfigBase):
    token: str | None = None


def test_dlt_looks_up_the_fields_of_an_auth_object_that_is_not_resolved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The reason for `resolve()` in `OAuth2`."""
    monkeypatch.setenv("CREDENTIALS__TOKEN", "looked-up")

    assert dict(create_auth(Unresolved()) or {})["token"] == "looked-up"


def test_requests_decodes_the_dots_of_a_path() -> None:
    url = "https://api.example.com/refs/%2E%2E/%2E/a.b?from=/../"

    prepared = requests.Request("GET", url).prepare().url

    assert prepared != url, "requests keeps them: with_encoded_dots is not needed any more"
    assert with_encoded_dots(str(prepared)) == url
