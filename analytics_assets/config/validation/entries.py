"""dlt's validation of a configuration, with errors that name the entry."""

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dlt.common import jsonpath
from dlt.common.data_types.typing import DATA_TYPES
from dlt.common.exceptions import DictValidationException
from dlt.common.schema.typing import MERGE_STRATEGIES, WRITE_DISPOSITIONS
from dlt.common.typing import ConfigValueSentinel
from dlt.sources.rest_api import rest_api_resources
from requests import Session

from analytics_assets.config.api import Api
from analytics_assets.config.errors import ConfigurationError, did_you_mean, listed
from analytics_assets.config.resource import (
    as_disposition,
    as_endpoint,
    is_resource_function,
    name_of,
)
from analytics_assets.config.validation.paginator import config_for_dlt, wrong_option
from analytics_assets.config.validation.structure import refuse_wrong_structure

COMPLAINT = re.compile(r"Path `([^`]*)`: (.*)")
UNRESOLVED_BASE_URL = "http://base-url.invalid"
# dlt accepts any text for these, and any plain value of a parameter
OF_ANY_TEXT = ("name", "path", "data_selector", "table_name", "primary_key", "merge_key")


def validate_entries(api: Api) -> None:
    """Validate each entry by dlt's own rules, without settings, secrets or requests.

    Args:
        api: the API.

    Raises:
        ConfigurationError: dlt refuses an entry; the message names it.
    """
    accepted = set()
    for resource in api.resources.values():
        config = resource.config
        refuse_wrong_values(config)
        kind = _kind(config["resources"])
        if kind not in accepted:
            _validate(config)
            accepted.add(kind)


def _validate(config: Mapping[str, Any]) -> None:
    client = {key: value for key, value in config["client"].items() if key != "auth"}
    described: Any = {
        **config,
        # with a session dlt 1.31 makes none of its own, which takes most of the time
        "client": {**client, "base_url": UNRESOLVED_BASE_URL, "session": _IdleSession()},
        "resources": [_without_auth(entry) for entry in config["resources"]],
    }
    described = config_for_dlt(_without_placeholders(described))
    with refusals_explained(described):
        rest_api_resources(described)


def _without_placeholders(part: Any) -> Any:
    """Return a part of a configuration with a text for each value that is looked up in a run."""
    if isinstance(part, ConfigValueSentinel):
        return "setting"
    if isinstance(part, dict):
        return {key: _without_placeholders(value) for key, value in part.items()}
    return [_without_placeholders(each) for each in part] if isinstance(part, list) else part


def _kind(entries: list[Any]) -> str:
    """Return the kind of a resource: dlt accepts or refuses all resources of a kind.

    dlt needs 7 ms to validate one, and most of hundreds differ in name and path alone.
    """
    if len(entries) > 1:  # a child, which refers to its parents by their names
        return str([entry["name"] if isinstance(entry, dict) else entry for entry in entries])
    [entry] = entries
    return repr(_validated_parts(entry)) if isinstance(entry, dict) else type(entry).__name__


def _validated_parts(
    part: Mapping[str, Any], free: Collection[str] = OF_ANY_TEXT
) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for key, value in part.items():
        if isinstance(value, dict):
            kept[key] = _validated_parts(value, value if key == "params" else OF_ANY_TEXT)
        else:
            kept[key] = type(value) if key in free and _is_plain(value) else value
    return kept


def _is_plain(value: Any) -> bool:
    """Return True if a value has no placeholder in it."""
    return isinstance(value, int | float) or (isinstance(value, str) and "{" not in value)


class _IdleSession(Session):
    """A session for dlt that sends nothing."""

    def __init__(self) -> None:
        pass


def _without_auth(entry: Any) -> Any:
    """Return an entry without `auth`: dlt does not know its types, and its secrets are missing."""
    endpoint = entry.get("endpoint") if isinstance(entry, dict) else None
    if not isinstance(endpoint, dict):
        return entry
    return {**entry, "endpoint": {key: endpoint[key] for key in endpoint if key != "auth"}}


@contextmanager
def refusals_explained(config: Any) -> Iterator[None]:
    """Raise dlt's refusal of a configuration as an error that names the entry and the remedy."""
    try:
        yield
    except (DictValidationException, ValueError, TypeError) as error:
        names = listed(
            [name_of(entry) for entry in config["resources"] if not is_resource_function(entry)]
        )
        raise ConfigurationError(f"dlt refuses the entry of {names}: {_deepest(error)}") from error


def refuse_wrong_values(config: Mapping[str, Any]) -> None:
    """Refuse parts and values that dlt 1.31 accepts unchecked, or refuses without a remedy.

    Args:
        config: a dlt configuration.

    Raises:
        ConfigurationError: a value cannot be used; the message names its entry and the remedy.
    """
    refuse_wrong_structure("the REST source", config)
    for where, endpoint in _endpoints(config):
        wrong = wrong_option(endpoint.get("paginator")) or _wrong_path(endpoint)
        if wrong:
            raise ConfigurationError(f"{where}: {wrong}")
    for where, entry in _entries(config):
        wrong = _wrong_columns(entry.get("columns")) or _wrong_disposition(entry)
        if wrong:
            raise ConfigurationError(f"{where}: {wrong}")


def _entries(config: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the defaults and the entries, each with its name in an error."""
    yield "`resource_defaults`", config.get("resource_defaults") or {}
    for entry in config["resources"]:
        if isinstance(entry, dict):
            yield f"resource `{entry.get('name')}`", entry


def _endpoints(config: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the parts that may have a paginator, each with its name in an error."""
    yield "`client`", config["client"]
    for where, entry in _entries(config):
        yield where, as_endpoint(entry.get("endpoint"))


def _wrong_path(endpoint: Mapping[str, Any]) -> str | None:
    """Describe a path of JSON that cannot be read."""
    paginator = endpoint.get("paginator")
    parts = paginator if isinstance(paginator, dict) else {}
    paths = {name: parts[name] for name in parts if name.endswith("_path")}
    for name, path in {**paths, "data_selector": endpoint.get("data_selector")}.items():
        if not isinstance(path, str):
            continue
        try:
            jsonpath.compile_path(path)
        except Exception as error:  # the parser's own, and those of its lexer
            reason = str(error).strip().rstrip(".!")
            return (
                f"`{name}` cannot be {path!r}, which is no JSONPath such as 'data.items': {reason}."
            )
    return None


def _wrong_columns(columns: Any) -> str | None:
    """Describe a wrong hint of a column."""
    named = columns if isinstance(columns, dict) else {}
    if isinstance(columns, list):
        named = dict(enumerate(columns))
    for name, hint in named.items():
        if not isinstance(hint, dict):
            return (
                f"`{name}` in `columns` cannot be {hint!r}: give a dictionary of hints such as "
                '{"data_type": "text"}.'
            )
        kind = hint.get("data_type")
        if kind is not None and kind not in DATA_TYPES:
            return (
                f"`data_type` of `{name}` in `columns` cannot be {kind!r}"
                f"{did_you_mean(kind, DATA_TYPES)} Types are {listed(sorted(DATA_TYPES))}."
            )
    return None


def _wrong_disposition(entry: Mapping[str, Any]) -> str | None:
    """Describe a write disposition, or a merge strategy, that dlt does not have."""
    given = as_disposition(entry.get("write_disposition"))
    for name, known in (("disposition", WRITE_DISPOSITIONS), ("strategy", MERGE_STRATEGIES)):
        value = given.get(name)
        if isinstance(value, str) and value not in known:
            return (
                f"the {name} of `write_disposition` cannot be {value!r}"
                f"{did_you_mean(value, known)} dlt has {listed(sorted(known))}."
            )
    return None


def _deepest(error: Exception) -> str:
    """Return the complaint of dlt that points deepest into an entry."""
    complaints = COMPLAINT.findall(str(error))
    if not complaints:
        return str(error)
    path, complaint = max(complaints, key=lambda found: found[0].count("/"))
    return f"{path}: {complaint}"
