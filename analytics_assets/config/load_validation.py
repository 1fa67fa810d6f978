"""What a policy wants of a load, and the entry does not allow: refused, with the mend."""

import re
from collections.abc import Mapping
from typing import Any

from analytics_assets.config.errors import ConfigurationError
from analytics_assets.config.load import Full, Incremental, Partitioned

REWRITING = (None, "delete-insert", "upsert")  # merge strategies that write a known row again


def refuse_load(
    resource: str, load: Incremental | Partitioned, endpoint: Mapping[str, Any] | None, merged: bool
) -> None:
    """Refuse to load a part of the rows where the entry does not go together with that.

    Args:
        resource: the resource.
        load: which part.
        endpoint: the entry's; None where the resource is a function of dlt.
        merged: whether a row that comes again is written again.

    Raises:
        ConfigurationError: it does not.
    """
    where, kind = f"policy of `{resource}`", type(load).__name__
    if endpoint is None:
        raise ConfigurationError(
            f"{where}: `load` cannot be `{kind}`, as the resource is a function of dlt, which asks "
            "for what it wants itself. Take out `load`."
        )
    if reads_what_is_new(endpoint):
        raise ConfigurationError(
            f"{where}: `load` is `{kind}`, but the entry reads what is new by an `incremental` of "
            "its own. Take out one of the two."
        )
    for param in _params_of(load):
        if param in (endpoint.get("params") or {}):
            raise ConfigurationError(
                f"{where}: the `{kind}` load sends `{param}`, which stands in `params` of the "
                "entry, too. Take it out of the entry."
            )
    if not merged:
        raise ConfigurationError(
            f"{where}: `load` cannot be `{kind}`, as the resource is not merged in a way that "
            'rewrites the rows that come again: set "write_disposition": "merge" in the entry.'
        )


def refuse_prune(resource: str, load: object, endpoint: Mapping[str, Any], merged: bool) -> None:
    """Refuse to prune where a row that does not come again may well be there.

    Args:
        resource: the resource.
        load: what a load of it reads.
        endpoint: the entry's.
        merged: whether a row that comes again is written again.

    Raises:
        ConfigurationError: it may.
    """
    where = f"policy of `{resource}`: `prune` cannot be"
    if not isinstance(load, Full):
        raise ConfigurationError(
            f"{where}, as `{type(load).__name__}` reads a part of the rows, and those that do not "
            "come are not gone. Take out `prune`, or load the resource in full."
        )
    if reads_what_is_new(endpoint):
        raise ConfigurationError(
            f"{where}, as the resource reads only what is newer than its last load. Take out "
            "`prune`, or the `incremental` part of the endpoint."
        )
    if not merged:
        raise ConfigurationError(
            f"{where}, as the resource is not merged in a way that rewrites the rows that are "
            "still there. Take out `prune`."
        )


def reads_what_is_new(endpoint: Mapping[str, Any]) -> bool:
    """Tell whether an endpoint has an incremental cursor of dlt."""
    text = str(endpoint)
    return "incremental" in endpoint or bool(
        re.search(r"\{incremental\.|'type': 'incremental'", text)
    )


def _params_of(load: Incremental | Partitioned) -> tuple[str, ...]:
    if isinstance(load, Incremental):
        return (load.param,)
    return load.window.start_param, load.window.end_param
