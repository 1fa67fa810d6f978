"""Checks of policies against the entry of their resource."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from analytics_assets.config.entry.place import EMPTY, PARTS, Place, PlaceError, placed
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


def refuse_tombstone(
    resource: str,
    deletes: bool,
    is_function: bool,
    has_mark: bool,
    disposition: Mapping[str, Any],
    has_key: bool,
) -> None:
    """Refuse the policy `tombstone` where rows cannot be deleted, or are not read by this project.

    Args:
        resource: the resource, whose policy has `tombstone`.
        deletes: True if the rows are to be deleted from the table.
        is_function: True for a resource function of dlt.
        has_mark: True if `columns` of the entry have dlt's hint `hard_delete`.
        disposition: the write disposition in its long form.
        has_key: True if it has a primary key.

    Raises:
        ConfigurationError: the rows cannot be deleted.
    """
    where = f"policy of `{resource}`: `tombstone` cannot be used"
    if is_function:
        raise ConfigurationError(
            f"{where}, as the resource is a function of dlt, whose rows this project does not "
            "read. Take it out, and give the column dlt's hint `hard_delete` in the function."
        )
    if has_mark:
        raise ConfigurationError(
            f"{where} beside the hint `hard_delete` in `columns` of the entry, which deletes rows, "
            "too. Take out one of the two."
        )
    if not deletes:
        return
    kind, strategy = disposition["disposition"], disposition.get("strategy")
    if kind != "merge" or strategy not in (None, "delete-insert"):
        given = f"the merge strategy `{strategy}`" if kind == "merge" else f"`{kind}`"
        raise ConfigurationError(
            f'{where} with "rows": "delete", as {given} deletes no row of the table by its key: '
            'set "write_disposition": "merge" in the entry, or "rows": "keep".'
        )
    if not has_key:
        raise ConfigurationError(
            f'{where} with "rows": "delete" without a key: add "primary_key": "<field that tells '
            'its rows apart>" to the entry.'
        )


def has_incremental_cursor(endpoint: Mapping[str, Any]) -> bool:
    """Return True if an endpoint has an incremental cursor of dlt."""
    placeholder = re.search(r"\{incremental\.|'type': 'incremental'", str(endpoint))
    return "incremental" in endpoint or placeholder is not None


def refuse_places(
    resource: str,
    endpoint: Mapping[str, Any],
    paginator: Any,
    load: object = None,
    newest: Mapping[str, Any] | None = None,
) -> None:
    """Refuse parameters of a load, `newest` or a paginator where a request has something else.

    Args:
        resource: the resource.
        endpoint: its endpoint, `resource_defaults` included.
        paginator: its paginator as configured.
        load: its load.
        newest: the parameters of its request for the newest change.

    Raises:
        ConfigurationError: names the place, and what is there.
    """
    where = f"policy of `{resource}`"
    kind, sent = type(load).__name__, [Place.of(name) for name in _params_of(load)]
    for place in sent:
        if place.value_in(endpoint) is not EMPTY:
            raise ConfigurationError(
                f"{where}: the `{kind}` load sends `{place.name}`, which is in `{place.part}` of "
                "the entry, too. Take it out of the entry."
            )
        if sum(map(place.is_at, sent)) > 1:
            raise ConfigurationError(f"{where}: the `{kind}` load sends `{place.name}` twice.")
    loaded = _checked(f"{where}: the `{kind}` load", endpoint, _params_of(load))
    paging = [Place.of(name) for name in _params_of_paginator(paginator)]
    for place in paging:
        if any(map(place.is_at, sent)):
            raise ConfigurationError(
                f"{where}: the `{kind}` load and `paginator` both send `{place.name}`. Give them "
                "a parameter each."
            )
    _checked(f"resource `{resource}`: `paginator`", loaded, [place.name for place in paging])
    _checked(f"{where}: `newest`", loaded, newest or ())


def _checked(what: str, endpoint: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """Return an endpoint with something at each of some places, or refuse these."""
    parts = dict(endpoint)
    for part in PARTS:
        if not any(Place.of(name).part == part for name in names):
            continue
        try:
            parts = placed(parts, {name: "" for name in names if Place.of(name).part == part})
        except PlaceError as error:
            raise ConfigurationError(
                f"{what} writes into `{part}` of the request: {error}."
            ) from None
    bodies = [name for name in ("json", "data") if parts.get(name)]
    if len(bodies) > 1 and bodies != [name for name in bodies if endpoint.get(name)]:
        raise ConfigurationError(
            f"{what} makes a request with both a JSON body and a form: write all of it into "
            "`json`, or all of it into `data`."
        )
    return parts


def _params_of(load: object) -> tuple[str, ...]:
    if isinstance(load, Incremental):
        return tuple(load.templates)
    return load.window.names if isinstance(load, Partitioned) else ()


def _params_of_paginator(paginator: Any) -> list[str]:
    options = paginator if isinstance(paginator, dict) else getattr(paginator, "__dict__", {})
    return [
        value
        for name, value in options.items()
        if isinstance(value, str) and (name.endswith("_param") or name == "param_name")
    ]
