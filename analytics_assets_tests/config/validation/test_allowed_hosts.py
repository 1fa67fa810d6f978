from typing import Any

import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.errors import ConfigurationError
from analytics_assets.config.validation.allowed_hosts import allowed_hosts
from analytics_assets.config.validation.entries import validate_entries


def api(hosts: Any) -> Api:
    client = {"base_url": "https://api.test", "allowed_hosts": hosts}
    return Api(
        name="shop",
        config={"client": client, "resources": [{"name": "orders", "primary_key": "id"}]},
    )


def test_hosts_are_named_with_or_without_credentials() -> None:
    given = {"files.test": "without_credentials", "eu.api.test:8443": "with_credentials"}

    assert allowed_hosts(given) == {"files.test": False, "eu.api.test:8443": True}
    validate_entries(api(given))


def test_hosts_of_a_list_get_no_credentials() -> None:
    assert allowed_hosts(["files.test", "https://[::1]:8443"]) == {
        "files.test": False,
        "https://[::1]:8443": False,
    }
    assert allowed_hosts(None) == {}


@pytest.mark.parametrize(
    ("hosts", "message"),
    [
        ("files.test", "is a str; give a dictionary"),
        ({"files.test": True}, "has True for files.test; give 'with_credentials' or"),
        (["https://files.test/orders"], "names 'https://files.test/orders'; give a host"),
        (["me:secret@files.test"], "give a host such as"),
        (["*.files.test"], "give a host such as"),
        (["ftp://files.test"], "give a host such as"),
        ([""], "give a host such as"),
        ([5], "names 5; give a host"),
    ],
)
def test_what_is_no_host_is_refused_when_definitions_load(hosts: Any, message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        api(hosts)

    assert message in str(error.value)
