"""Undocumented interfaces of requests and dlt, with the reason for each.

Each has a test in `test_compat.py`, named after the upstream behaviour, that fails once it changes.
"""

import re
from typing import Any

from dlt.sources.helpers.rest_client.auth import AuthConfigBase
from dlt.sources.rest_api import config_setup

DOT_SEGMENT = re.compile(r"(?<=/)\.\.?(?=[/?#]|$)")


def with_encoded_dots(url: str) -> str:
    """Encode the segments `.` and `..` of a URL that requests has prepared.

    requests 2.34 decodes the `%2E%2E` of a path, after urllib3 has resolved the segments that were
    not encoded: the API would ask for another path. Those that are left were encoded.

    Example:
        >>> with_encoded_dots("https://api.example.com/refs/../kids?from=/../")
        'https://api.example.com/refs/%2E%2E/kids?from=/../'
    """
    path, mark, query = url.partition("?")
    return DOT_SEGMENT.sub(lambda found: found[0].replace(".", "%2E"), path) + mark + query


def create_auth(auth: Any) -> AuthConfigBase | None:
    """Return the auth object of a configuration's `client.auth`.

    dlt 1.31 makes it for its own requests alone, in a module without documentation.

    Args:
        auth: an auth in any of dlt's forms: an object, a dictionary, the name of a type, or None.
    """
    return config_setup.create_auth(auth)
