"""The option `allowed_hosts` of `client`: hosts beside the API's own to which links may lead."""

import re
from collections.abc import Mapping
from typing import Any

from analytics_assets.config.errors import ConfigurationError

HOST = re.compile(r"(https?://)?([^\s/?#@:\[\]*{}]+|\[[0-9a-fA-F:.]+\])(:\d{1,5})?/?")
CREDENTIALS = {"with_credentials": True, "without_credentials": False}


def allowed_hosts(given: Any) -> dict[str, bool]:
    """Return the hosts; True for one that gets credentials.

    Args:
        given: a dictionary with `"with_credentials"` or `"without_credentials"` for each host, a
            list of hosts without credentials, or None.

    Raises:
        ConfigurationError: it is neither, or a host is none.
    """
    hosts = dict.fromkeys(given, "without_credentials") if isinstance(given, list) else given
    if not isinstance(hosts or {}, Mapping):
        raise ConfigurationError(
            f"`allowed_hosts` of `client` is a {type(given).__name__}; give a dictionary such as "
            '{"files.example.com": "without_credentials"}.'
        )
    for host, credentials in (hosts or {}).items():
        if not (isinstance(host, str) and HOST.fullmatch(host)):
            raise ConfigurationError(
                f"`allowed_hosts` of `client` names {host!r}; give a host such as "
                '"files.example.com", "files.example.com:8443" or "https://files.example.com".'
            )
        if credentials not in CREDENTIALS:
            raise ConfigurationError(
                f"`allowed_hosts` of `client` has {credentials!r} for {host}; give "
                f"{' or '.join(map(repr, CREDENTIALS))}."
            )
    return {host: CREDENTIALS[credentials] for host, credentials in (hosts or {}).items()}
