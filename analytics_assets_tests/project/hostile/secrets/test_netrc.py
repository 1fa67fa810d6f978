"""Credentials that requests takes from a file `.netrc` for the host of an API."""

from base64 import b64encode
from pathlib import Path

import pytest
import requests

from analytics_assets.extract.source import rest_api_source
from analytics_assets_tests.project.hostile.secrets.places import repeat_all
from analytics_assets_tests.support.http.fetching import WAYS
from analytics_assets_tests.support.paged_server import Answer, drain, orders, serving


@pytest.mark.parametrize("way", WAYS)
def test_credentials_of_a_netrc_are_not_in_an_error_that_repeats_them(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password N3trc-s3cret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    session = {"session": requests.Session()} if way == "session" else {}
    with serving(lambda sent: Answer(repeat_all(sent).encode(), 403)) as server:
        client = {"base_url": server.base_url, **session}
        entry = orders(paginator="single_page")
        config = {"client": client, "resources": [entry]}
        error = drain(rest_api_source(config, "shop").resources["orders"]).error

    credentials = b64encode(b"me:N3trc-s3cret").decode()
    assert server.requests[0].headers["authorization"] == f"Basic {credentials}"
    assert "***" in error
    assert credentials not in error
