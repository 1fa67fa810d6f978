"""dlt REST configuration in, dlt source out."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

from dlt import Schema
from dlt.common.configuration import resolve_configuration
from dlt.common.exceptions import DictValidationException
from dlt.common.jsonpath import compile_path
from dlt.extract import DltSource
from dlt.sources.rest_api import rest_api_resources
from dlt.sources.rest_api import rest_api_source as stock_rest_api_source
from dlt.sources.rest_api.config_setup import PAGINATOR_MAP
from requests import Session

from analytics_assets.configuration import Api, as_endpoint, parents_of
from analytics_assets.configuration_error import ConfigurationError, did_you_mean, listed
from analytics_assets.contract import Contract
from analytics_assets.extract import lossless
from analytics_assets.extract.batches import check_rows
from analytics_assets.extract.connection import Connection, connect
from analytics_assets.extract.cursor import Cursor
from analytics_assets.extract.entry import Entry, is_dlt_resource
from analytics_assets.extract.reading import CompleteRead, ReadingSettings

COMPLAINT = re.compile(r"Path `([^`]*)`: (.*)")
SECTION = "rest_api"  # of the sources that dlt makes
TOTAL = "total"  # where dlt looks for the total if the entry does not say
UNRESOLVED_BASE_URL = "http://base-url.invalid"


def rest_api_source(
    config: Mapping[str, Any],
    name: str = "rest_api",
    connection: Connection | None = None,
    contracts: Mapping[str, Contract] | None = None,
    cursors: Mapping[str, Cursor] | None = None,
    schema: str | None = None,
) -> DltSource:
    """Make a dlt source of a REST configuration: dlt's function of this name, and more.

    On top of what dlt's documentation says, `client.auth` may be
    `{"type": "oauth2", "token_url": ..., ...}` with any field of `OAuth2Settings`, and whatever
    `client` leaves open is looked up in dlt's configuration providers. A resource gives all the
    rows that the API has, or raises. Rows that break the resource's contract, and those without a
    primary key, go to the table `rejected_rows`.

    Args:
        config: https://dlthub.com/docs/dlt-ecosystem/verified-sources/rest_api/basic
        name: the API's name, and the section of its settings.
        connection: what to send requests with; made from `config["client"]` if not given.
        contracts: what rows must be, by resource.
        cursors: how far loads have come, by resource; the others are read in full, or as their
            entries say.
        schema: the name under which dlt stores the tables' columns; the API's if not given.

    Returns:
        A source with one resource per entry.

    Raises:
        SettingsError: a setting is missing or has the wrong type.
        ConfigurationError: dlt refuses the configuration.

    Example:
        >>> source = rest_api_source({
        ...     "client": {
        ...         "base_url": "https://api.example.com",
        ...         "auth": {
        ...             "type": "oauth2",
        ...             "client_id": "me",
        ...             "client_secret": "secret",
        ...             "token_url": "https://oauth2.googleapis.com/token",
        ...         },
        ...     },
        ...     "resource_defaults": {"primary_key": "id", "write_disposition": "merge"},
        ...     "resources": [{"name": "orders", "endpoint": {"path": "/v1/orders"}}],
        ... })
        >>> list(source.resources)
        ['orders']
    """
    connection = connection or connect(config["client"], name)
    reading = resolve_configuration(ReadingSettings())
    entries = _entries(config, contracts or {}, reading, connection, cursors)
    source = _source_of(config, name, connection, entries)
    source.schema = Schema(schema or name, normalizers={"json": {"module": lossless.__name__}})
    parents = parents_of(config["resources"])
    for entry in entries:
        resource = source.resources[entry.name]
        read = CompleteRead(
            entry.pages, entry.last_row_wins, entry.contract, entry.hinted, entry.middle_pages
        )
        resource.add_step(read, insert_at=1)
        check_rows(resource, entry.contract, entry.as_arrow, has_children=entry.name in parents)
        if entry.cursor:
            resource.add_step(entry.cursor, insert_at=2)  # sees the rows before the contract does
    return source


def sample_source(config: Mapping[str, Any], name: str, connection: Connection) -> DltSource:
    """Make a source for a look at an API: like `rest_api_source`, but pages come as they are.

    Nothing is held back until it is proven complete, and no row is rejected.
    """
    return _source_of(config, name, connection, _entries(config, {}, ReadingSettings()))


def _entries(
    config: Mapping[str, Any],
    contracts: Mapping[str, Contract],
    reading: ReadingSettings,
    connection: Connection | None = None,
    cursors: Mapping[str, Cursor] | None = None,
) -> list[Entry]:
    entries = [entry for entry in config["resources"] if not is_dlt_resource(entry)]
    return [Entry(entry, config, contracts, reading, connection, cursors) for entry in entries]


def _source_of(
    config: Mapping[str, Any], name: str, connection: Connection, entries: list[Entry]
) -> DltSource:
    ready = iter(entries)
    resources = [
        entry if is_dlt_resource(entry) else next(ready).for_dlt(connection.redact)
        for entry in config["resources"]
    ]
    return _stock_source({**config, "client": connection.client, "resources": resources}, name)


def describe_resource(api: Api, name: str, schema: Schema | None = None) -> DltSource:
    """Make a source that says what a resource is, without settings, secrets or requests.

    Args:
        api: the API.
        name: the resource.
        schema: the source's, to be shared by all resources of the API; a new one if not given.

    Returns:
        A source in which only that resource is selected. It cannot be run.

    Raises:
        ConfigurationError: dlt refuses the configuration; the message names the resource.
    """
    config = api.config_of(name)
    client = {key: value for key, value in config["client"].items() if key != "auth"}
    # with neither a session of its own nor a section in which to look up settings, dlt 1.31
    # describes a resource four times faster
    described: Any = {
        **config,
        "client": {**client, "base_url": UNRESOLVED_BASE_URL, "session": _IdleSession()},
        "resources": [_described(entry) for entry in config["resources"]],
    }
    with _refusals_explained(described):
        resources = rest_api_resources(described)
    source = DltSource(schema or Schema(api.name), SECTION, resources)
    source.resources.select(name)
    return source


class _IdleSession(Session):
    """Stands where dlt wants a session, and sends nothing."""

    def __init__(self) -> None:
        pass


def _stock_source(config: Any, name: str) -> DltSource:
    with _refusals_explained(config):
        return stock_rest_api_source(config, name=name)


@contextmanager
def _refusals_explained(config: Any) -> Iterator[None]:
    try:
        yield
    except (DictValidationException, ValueError, TypeError) as error:
        entries = config["resources"]
        names = ", ".join(f"`{entry['name']}`" for entry in entries if isinstance(entry, dict))
        what = _unknown_paginator(config) or _deepest(error)
        raise ConfigurationError(f"dlt refuses the entry of {names}: {what}") from error


def _unknown_paginator(config: Any) -> str | None:
    """Name a paginator that dlt does not have, as dlt would blame what is set beside its type."""
    entries = (config.get("resource_defaults"), *config["resources"])
    endpoints = [each.get("endpoint") for each in entries if isinstance(each, dict)]
    for part in (config["client"], *map(as_endpoint, endpoints)):
        paginator = part.get("paginator")
        kind = paginator.get("type") if isinstance(paginator, dict) else paginator
        if isinstance(kind, str) and kind not in PAGINATOR_MAP:
            return (
                f"`paginator` is of the type {kind!r}, which dlt does not have"
                f"{did_you_mean(kind, PAGINATOR_MAP)} Types are {listed(PAGINATOR_MAP)}."
            )
    return None


def _deepest(error: Exception) -> str:
    """Return of dlt's many complaints about an entry the one that points deepest into it."""
    complaints = COMPLAINT.findall(str(error))
    if not complaints:
        return str(error)
    path, complaint = max(complaints, key=lambda found: found[0].count("/"))
    return f"{path}: {complaint}"


def _described(entry: Any) -> Any:
    """Return an entry without `auth`, and with the path of the total as dlt would compile it."""
    endpoint = entry.get("endpoint") if isinstance(entry, dict) else None
    if not isinstance(endpoint, dict):
        return entry
    endpoint = {key: endpoint[key] for key in endpoint if key != "auth"}
    paginator = endpoint.get("paginator")
    if isinstance(paginator, dict) and paginator.get("type") in ("offset", "page_number"):
        endpoint["paginator"] = {"total_path": _compiled(TOTAL), **paginator}
    return {**entry, "endpoint": endpoint}


@cache
def _compiled(path: str) -> Any:
    return compile_path(path)
