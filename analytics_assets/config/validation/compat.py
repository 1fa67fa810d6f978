"""Undocumented interfaces of dlt 1.31 for configurations, each with a test of dlt's behaviour."""

import inspect
from collections.abc import Collection, Mapping
from typing import Any

from dlt.sources.rest_api.config_setup import AUTH_MAP, PAGINATOR_MAP


def paginator_types() -> Collection[str]:
    """Return the types that an entry's `paginator` may have, with those that were registered.

    dlt 1.31 publishes no list of them: `config_setup.PAGINATOR_MAP` is its own.
    """
    return PAGINATOR_MAP.keys()


def paginator_options(kind: Any) -> Mapping[str, inspect.Parameter]:
    """Return the options of a type of paginator; none for an unknown type and for `auto`.

    dlt 1.31 makes each type from a dictionary, but documents no way from a type to its class.
    """
    paginator_class = PAGINATOR_MAP.get(kind) if isinstance(kind, str) else None
    return inspect.signature(paginator_class).parameters if paginator_class else {}


def auth_types() -> Collection[str]:
    """Return the types that `auth` may have in dlt, with those that were registered.

    dlt 1.31 publishes no list of them: `config_setup.AUTH_MAP` is its own.
    """
    return AUTH_MAP.keys()


def auth_fields(kind: str) -> Collection[str]:
    """Return the fields of a type of `auth`; none for an unknown type.

    dlt 1.31 makes each type from a dictionary, but documents no way from a type to its class.
    """
    auth_class = AUTH_MAP.get(kind)
    return auth_class.get_resolvable_fields() if auth_class else ()
