"""The parts of a dlt configuration: present, known and of the right kind."""

from collections.abc import Collection
from typing import Any

from dlt.sources.rest_api.typing import (
    ClientConfig,
    Endpoint,
    EndpointResource,
    EndpointResourceBase,
    IncrementalConfig,
    ProcessingSteps,
    ResponseActionDict,
    RESTAPIConfig,
)

from analytics_assets.config.entry.answer_quality import refuse_wrong_quality
from analytics_assets.config.entry.rows import PARTS
from analytics_assets.config.errors import ConfigurationError, refuse_unknown_keys
from analytics_assets.config.resource import as_endpoint, is_resource_function, name_of
from analytics_assets.config.validation.allowed_hosts import allowed_hosts

PARTS_OF_ENDPOINT = {"incremental": IncrementalConfig.__annotations__}
PARTS_OF_CONFIG = (*RESTAPIConfig.__annotations__, "templates")
OWN_KEYS = ("answer_quality", "body_format", "rows")  # of an entry, which dlt does not know
KEYS_OF_ENTRY = (*EndpointResource.__annotations__, *OWN_KEYS)


def refuse_wrong_structure(where: str, config: Any) -> None:
    """Refuse a configuration whose parts are missing, unknown or of the wrong kind.

    Args:
        where: the configuration's name in the message.
        config: a dlt configuration.

    Raises:
        ConfigurationError: names the part and the remedy.
    """
    refuse_unknown_keys(where, config, PARTS_OF_CONFIG)
    for part in ("client", "resources"):
        if part not in config:
            raise ConfigurationError(f"{where}: the configuration has no `{part}`; add it.")
    known = {**ClientConfig.__annotations__, "allowed_hosts": Any}
    refuse_unknown_keys(f"`client` of {where}", config["client"], known)
    allowed_hosts(config["client"].get("allowed_hosts"))
    defaults = config.get("resource_defaults") or {}
    _check_entry(
        "`resource_defaults`", defaults, (*EndpointResourceBase.__annotations__, *OWN_KEYS)
    )
    if not isinstance(config["resources"], list):
        raise ConfigurationError(f"`resources` of {where} must be a list of entries.")
    for number, entry in enumerate(config["resources"], start=1):
        named = f"resource {number} of {where}"
        if not (isinstance(entry, str | dict) or is_resource_function(entry)):
            raise ConfigurationError(
                f"{named} is a {type(entry).__name__}; an entry is a dictionary."
            )
        if not isinstance(name := name_of(entry), str):
            raise ConfigurationError(f'{named} has no name; add "name": "<table name>" to it.')
        if isinstance(entry, dict):
            _check_entry(f"resource `{name}`", entry, KEYS_OF_ENTRY)


def _check_entry(where: str, entry: Any, known: Collection[str]) -> None:
    refuse_unknown_keys(where, entry, known)
    refuse_wrong_quality(where, entry.get("answer_quality"))
    if entry.get("rows") is not None:
        refuse_unknown_keys(f"`rows` of {where}", entry["rows"], PARTS)
        fields = entry["rows"].get("fields") or {}
        refuse_unknown_keys(f"`fields` in `rows` of {where}", fields, fields)
    endpoint = as_endpoint(entry.get("endpoint"))
    refuse_unknown_keys(f"`endpoint` of {where}", endpoint, Endpoint.__annotations__)
    for name, keys in PARTS_OF_ENDPOINT.items():
        if isinstance(part := endpoint.get(name), dict):
            refuse_unknown_keys(f"`{name}` of {where}", part, keys)
    for part, name, keys in (
        (endpoint, "response_actions", ResponseActionDict.__annotations__),
        (entry, "processing_steps", ProcessingSteps.__annotations__),
    ):
        for each in part.get(name) or ():
            if isinstance(each, dict):
                refuse_unknown_keys(f"`{name}` of {where}", each, keys)
