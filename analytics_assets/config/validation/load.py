"""Checks of policies against the entry of their resource."""

import re
from collections.abc import Mapping
from typing import Any

from analytics_assets.config.errors import ConfigurationError
from analytics_assets.config.load import Full, Incremental, Partitioned

REWRITING = (None, "delete-insert", "upsert")  # merge strategies that rewrite a known row


def refuse_load(
    resource: str, load: Incremental | Partitioned, endpoint: Mapping[str, Any] | None, merged: bool
) -> None:
    """Refuse a load of a part of the rows that contradicts the entry.

    Args:
        resource: the resource.
        load: the load.
        endpoint: the entry's; None where the resource is a function of dlt.
        merged: True if a known row is rewritten.

    Raises:
        ConfigurationError: the load contradicts the entry.
    """
    where, kind = f"policy of `{resource}`", type(load).__name__
    if endpoint is None:
        raise ConfigurationError(
            f"{where}: `load` cannot be `{kind}`, as the resource is a function of dlt, which "
            "makes its own requests. Take out `load`."
        )
    if has_incremental_cursor(endpoint):
        raise ConfigurationError(
            f"{where}: `load` is `{kind}`, but the entry has an `incremental` of its own. "
            "Take out one of the two."
        )
    for param in _params_of(load):
        if param in (endpoint.get("params") or {}):
            raise ConfigurationError(
                f"{where}: the `{kind}` load sends `{param}`, which is in `params` of the "
                "entry, too. Take it out of the entry."
            )
    if not merged:
        raise ConfigurationError(
            f"{where}: `load` cannot be `{kind}`, as the resource is not merged in a way that "
            'rewrites the rows that are read again: set "write_disposition": "merge" in the entry.'
        )


def refuse_prune(
    resource: str, load: object, endpoint: Mapping[str, Any] | None, merged: bool
) -> None:
    """Refuse to prune where the API may still have a row that a load did not read.

    Args:
        resource: the resource.
        load: its load.
        endpoint: the entry's; None where the resource is a function of dlt.
        merged: True if a known row is rewritten.

    Raises:
        ConfigurationError: the API may still have such a row.
    """
    where = f"policy of `{resource}`: `prune` cannot be"
    if not isinstance(load, Full):
        raise ConfigurationError(
            f"{where}, as `{type(load).__name__}` reads a part of the rows: one that it does not "
            "read may still exist. Take out `prune`, or load the resource in full."
        )
    if endpoint is None:
        raise ConfigurationError(
            f"{where}, as the resource is a function of dlt, whose rows are not proven complete. "
            "Take out `prune`."
        )
    if has_incremental_cursor(endpoint):
        raise ConfigurationError(
            f"{where}, as the resource reads only rows that are newer than its last load. "
            "Take out `prune`, or the `incremental` part of the endpoint."
        )
    if not merged:
        raise ConfigurationError(
            f"{where}, as the resource is not merged in a way that rewrites the rows that are "
            "still there. Take out `prune`."
        )


def has_incremental_cursor(endpoint: Mapping[str, Any]) -> bool:
    """Return True if an endpoint has an incremental cursor of dlt."""
    placeholder = re.search(r"\{incremental\.|'type': 'incremental'", str(endpoint))
    return "incremental" in endpoint or placeholder is not None


def _params_of(load: Incremental | Partitioned) -> tuple[str, ...]:
    if isinstance(load, Incremental):
        return (load.param,)
    return load.window.start_param, load.window.end_param
