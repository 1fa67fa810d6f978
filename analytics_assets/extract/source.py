"""The dlt source of a REST configuration."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from dlt import Schema
from dlt.extract import DltSource
from dlt.sources.rest_api import rest_api_source as stock_rest_api_source

from analytics_assets.config.entry.template import filled_templates
from analytics_assets.config.resource import (
    as_endpoint,
    as_entry,
    is_resource_function,
    learn_secrets_of_entries,
    name_of,
    parents_of,
)
from analytics_assets.config.settings.look_up import without_placeholders
from analytics_assets.config.settings.resolution import resolved
from analytics_assets.config.validation.entries import refusals_explained
from analytics_assets.config.validation.paginator import config_for_dlt
from analytics_assets.config.validation.structure import refuse_wrong_structure
from analytics_assets.config.validation.values import refuse_wrong_values
from analytics_assets.contract.contract import Contract
from analytics_assets.extract import lossless
from analytics_assets.extract.entry import Entry
from analytics_assets.extract.http.connection import Connection, connect
from analytics_assets.extract.incremental.cursor import Cursor
from analytics_assets.extract.paging.parallel_reads import Extractions
from analytics_assets.extract.paging.read_sample import ReadSample
from analytics_assets.extract.paging.window_parts import WindowParts
from analytics_assets.extract.reading import Reader, ReadingSettings
from analytics_assets.extract.rows.rejected_rows import KeptRows, RejectedRows
from analytics_assets.extract.rows.reshaping.processing_steps import ProcessingSteps
from analytics_assets.extract.rows.validation import UnvalidatedRows, validate_rows
from analytics_assets.redaction.url import split_credentials

NOTHING: Mapping[str, Any] = {}
NO_SAMPLES: Mapping[str, ReadSample] = {}
# what an entry says about requests, which rows of earlier reads do not need
DONE = ProcessingSteps([{"map": lambda row: row}])  # of rows that have passed the steps before
OF_REQUESTS = ("endpoint", "include_from_parent", "parallelized", "rows")


def rest_api_source(
    config: Mapping[str, Any],
    name: str = "rest_api",
    connection: Connection | None = None,
    contracts: Mapping[str, Contract] | None = None,
    cursors: Mapping[str, Cursor] | None = None,
    schema: str | None = None,
    absent: Collection[str] = (),
    windows: Mapping[str, WindowParts] = NOTHING,
) -> DltSource:
    """Make a dlt source of a REST configuration: dlt's function of this name, and more.

    Beyond dlt's documentation, `client.auth` may be `{"type": "oauth2", "token_url": ..., ...}`
    with any field of `OAuth2Settings`, `templates` make entries (see `filled_templates`), and
    values that `client` leaves open are looked up in dlt's configuration providers. A resource
    yields all rows of the API, or raises. Rows that break the resource's contract, and those
    without a primary key, are loaded into `rejected_rows`.

    Args:
        config: https://dlthub.com/docs/dlt-ecosystem/verified-sources/rest_api/basic
        name: the API's name, and the section of its settings.
        connection: sends requests; made from `config["client"]` if not given.
        contracts: the contracts of rows, by resource.
        cursors: the cursors of loads, by resource; the others are read in full, or as their
            entries say.
        schema: the name under which dlt stores the tables' columns; the API's if not given.
        absent: the resources whose answers have nothing in the place of their rows if they have
            none, as the policy `"empty": "absent"` says.
        windows: the windows of requests that are read in halves where answers are sampled.

    Returns:
        A source with one resource per entry.

    Raises:
        SettingsError: a setting is missing or has the wrong type.
        ConfigurationError: dlt refuses the configuration.

    Example:
        >>> source = rest_api_source({
        ...     "client": {
        ...         "base_url": "https://api.example.com",
        ...         "auth": {"type": "bearer", "token": "secret"},
        ...     },
        ...     "resource_defaults": {"primary_key": "id", "write_disposition": "merge"},
        ...     "resources": [{"name": "orders", "endpoint": {"path": "/v1/orders"}}],
        ... })
        >>> list(source.resources)
        ['orders']
    """
    config = filled_templates("the REST source", config)
    refuse_wrong_structure("the REST source", config)
    refuse_wrong_values(config)
    # the pipeline of the caller may load into any warehouse
    connection = connection or connect(config["client"], name, embeddable=False)
    config = with_settings(config, name)
    reading = resolved(ReadingSettings())
    source, entries = _source_of(
        *(config, name, connection, absent, reading),
        *(contracts or {}, cursors or {}, NO_SAMPLES, windows),
    )
    source.schema = _schema(schema or name)
    parents = parents_of(config["resources"])
    for entry in entries:
        resource = source.resources[entry.name]
        rejected = RejectedRows(name, entry.name)
        is_parent = entry.name in parents
        of_entry = (resource, entry.contract, rejected, entry.as_arrow)
        validate_rows(*of_entry, has_children=is_parent, steps=entry.steps)
        if entry.cursor:
            resource.add_step(entry.cursor, insert_at=2)  # sees the rows before their validation
    return source


def sample_source(
    config: Mapping[str, Any],
    name: str,
    connection: Connection,
    absent: Collection[str] = (),
    samples: Mapping[str, ReadSample] = NO_SAMPLES,
    contract: Contract | None = None,
    rejected: RejectedRows | None = None,
) -> DltSource:
    """Make a source of samples: like `rest_api_source`, but no read is verified.

    Args:
        config: as for `rest_api_source`.
        name: the API's name.
        connection: sends requests.
        absent: as for `rest_api_source`.
        samples: take the first pages of some resources, by their names; the others yield their
            rows page by page.
        contract: the contract of a resource whose rows are validated, altered and named as in a
            load; None to leave the rows of all.
        rejected: receives its rows that break the contract.

    Returns:
        A source with one resource per entry.

    Raises:
        ConfigurationError: dlt refuses the configuration.
    """
    contracts = {contract.resource: contract} if contract else NOTHING
    source, entries = _source_of(
        *(with_settings(config, name), name, connection, absent),
        contracts=contracts,
        samples=samples,
    )
    source.schema = _schema(name)
    for entry in entries:
        resource = source.resources[entry.name]
        if rejected and entry.name in contracts:
            of_entry = (resource, entry.contract, rejected, entry.as_arrow)
            validate_rows(*of_entry, steps=entry.steps)
        else:
            resource.add_step(UnvalidatedRows(entry.steps), insert_at=2)
    return source


def kept_rows_source(
    config: Mapping[str, Any],
    name: str,
    contract: Contract,
    rows: Sequence[Any],
    rejected: RejectedRows,
    schema: str,
    after_steps: bool = False,
) -> DltSource:
    """Make a source of rows that were read before, and need not be requested again.

    They are validated, altered by `processing_steps` and named as in a load.

    Args:
        config: as for `rest_api_source`.
        name: the API's name.
        contract: the contract of the resource to which the rows belong.
        rows: the rows as the API sent them.
        rejected: receives those that break the contract.
        schema: the name under which dlt stores the tables' columns.
        after_steps: True for rows that `processing_steps` have altered: they do not pass them
            again, and need their key, and values that the columns can hold.

    Returns:
        A source with that resource alone.
    """
    [own] = [entry for entry in config["resources"] if name_of(entry) == contract.resource]
    plain: Any = {
        "client": {"base_url": "https://no.request.invalid", "paginator": "single_page"},
        "resource_defaults": _without_requests(config.get("resource_defaults") or {}),
    }
    given: dict[str, Any] = {**_without_requests(as_entry(own)), "endpoint": "/"}
    entry = Entry(given, plain, contract=contract)
    stock_config: Any = config_for_dlt({**plain, "resources": [entry.for_dlt()]})
    source = stock_rest_api_source(stock_config, name=name)
    source.schema = _schema(schema)
    resource = source.resources[contract.resource]
    resource.add_step(KeptRows(rows), insert_at=1)
    if after_steps:
        as_sent = replace(contract, columns=(), time_formats={})
        validate_rows(resource, as_sent, rejected, steps=DONE, made=contract)
    else:
        validate_rows(resource, contract, rejected, entry.as_arrow, steps=entry.steps)
    return source


def with_settings(config: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a configuration whose entries leave nothing open; their secrets are in no text.

    Args:
        config: as for `rest_api_source`.
        name: the API's name.

    Raises:
        MissingSettingError: a setting is found nowhere.
    """
    filled = {
        **config,
        "resource_defaults": without_placeholders(config.get("resource_defaults") or {}, name),
        "resources": [
            without_placeholders(entry, name, str(name_of(entry))) for entry in config["resources"]
        ],
    }
    learn_secrets_of_entries(filled)
    return {**filled, "resources": [_with_authorization(entry) for entry in filled["resources"]]}


def _with_authorization(entry: Any) -> Any:
    """Return an entry with the user name and the password of its path as a header."""
    endpoint = as_endpoint(entry.get("endpoint")) if isinstance(entry, dict) else {}
    path, authorization = split_credentials(str(endpoint.get("path", "")))
    if not authorization:
        return entry
    headers = {**authorization, **(endpoint.get("headers") or {})}
    return {**entry, "endpoint": {**endpoint, "path": path, "headers": headers}}


def _without_requests(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key not in OF_REQUESTS}


def _schema(name: str) -> Schema:
    return Schema(name, normalizers={"json": {"module": lossless.__name__}})


def _source_of(
    config: Mapping[str, Any],
    name: str,
    connection: Connection,
    absent: Collection[str],
    reading: ReadingSettings | None = None,
    contracts: Mapping[str, Contract] = NOTHING,
    cursors: Mapping[str, Cursor] = NOTHING,
    samples: Mapping[str, ReadSample] = NO_SAMPLES,
    windows: Mapping[str, WindowParts] = NOTHING,
) -> tuple[DltSource, list[Entry]]:
    """Make a source with the step that reads each resource; of samples without `reading`."""
    entries, resources = [], []
    for given in config["resources"]:
        if is_resource_function(given):
            resources.append(given)
            continue
        own = name_of(given)
        is_sample = reading is None and own not in samples
        load = (contracts.get(own), cursors.get(own), own in absent, is_sample, windows.get(own))
        entries.append(Entry(given, config, *load))
        resources.append(entries[-1].for_dlt())
    stock_config: Any = config_for_dlt(
        {**config, "client": connection.client, "resources": resources}
    )
    with refusals_explained(stock_config):
        source = stock_rest_api_source(stock_config, name=name)
    extractions = Extractions()
    for entry in entries:
        resource = source.resources[entry.name]
        of_entry = connection.for_path(entry.path)
        reader = Reader(entry, resource, of_entry, reading, extractions, samples.get(entry.name))
        resource.add_step(reader, insert_at=1)
    return source, entries
