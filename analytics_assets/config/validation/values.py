"""The values of a dlt configuration: those that dlt accepts unchecked, or refuses unexplained."""

from collections.abc import Iterator, Mapping
from typing import Any

from dlt.common.data_types.typing import DATA_TYPES
from dlt.common.schema.typing import MERGE_STRATEGIES, WRITE_DISPOSITIONS, TColumnSchema

from analytics_assets.config.entry.rows import rows_config
from analytics_assets.config.errors import ConfigurationError, did_you_mean, listed
from analytics_assets.config.resource import (
    as_disposition,
    as_endpoint,
    as_entry,
    is_resource_function,
    merged_entry,
    name_of,
)
from analytics_assets.config.validation.auth import wrong_auth
from analytics_assets.config.validation.base_url import wrong_base_url
from analytics_assets.config.validation.paginator import wrong_option
from analytics_assets.config.validation.selector import unreadable_path

JSON_LINES = "jsonl"
BODY_FORMATS = ("json", JSON_LINES)


def refuse_wrong_values(config: Mapping[str, Any]) -> None:
    """Refuse values that dlt 1.31 accepts unchecked, or refuses without a remedy.

    Args:
        config: a dlt configuration whose structure is right.

    Raises:
        ConfigurationError: a value cannot be used; the message names its entry and the remedy.
    """
    wrong: str | None
    if wrong := wrong_base_url(config["client"].get("base_url")):
        raise ConfigurationError(f"`client`: `base_url` {wrong}")
    for where, endpoint in _endpoints(config):
        wrong = (
            wrong_option(endpoint.get("paginator"))
            or _wrong_path(endpoint)
            or wrong_auth(endpoint.get("auth"))
        )
        if wrong:
            raise ConfigurationError(f"{where}: {wrong}")
    for where, entry in _entries(config):
        wrong = (
            _wrong_columns(entry.get("columns"))
            or _wrong_disposition(entry)
            or _wrong_quality(entry.get("answer_quality"))
            or _wrong_body_format(entry)
        )
        if wrong:
            raise ConfigurationError(f"{where}: {wrong}")
    defaults = config.get("resource_defaults") or {}
    for each in config["resources"]:
        if not is_resource_function(each):
            merged = merged_entry(defaults, as_entry(each))
            paginator = merged["endpoint"].get("paginator") or config["client"].get("paginator")
            rows_config(f"resource `{name_of(each)}`", merged, paginator)


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
    return _wrong_paths({**paths, "data_selector": endpoint.get("data_selector")})


def _wrong_quality(quality: Any) -> str | None:
    wrong = _wrong_paths(quality or {})
    return f"`answer_quality`: {wrong}" if wrong else None


def _wrong_body_format(entry: Mapping[str, Any]) -> str | None:
    given = entry.get("body_format")
    if given not in (None, *BODY_FORMATS):
        return f"`body_format` cannot be {given!r}: give {' or '.join(map(repr, BODY_FORMATS))}."
    selector = as_endpoint(entry.get("endpoint")).get("data_selector")
    if given == JSON_LINES and selector not in (None, "$"):
        return (
            f"`data_selector` cannot be {selector!r}, as with `body_format` {JSON_LINES!r} each "
            'line is a row. Take it out, or give "$".'
        )
    return None


def _wrong_paths(paths: Mapping[str, Any]) -> str | None:
    for name, path in paths.items():
        if isinstance(path, str) and (reason := unreadable_path(path)):
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
        for key in hint:
            if key not in TColumnSchema.__annotations__ and not key.startswith("x-"):
                return (
                    f"`{name}` in `columns`: unknown key {key!r}"
                    f"{did_you_mean(key, TColumnSchema.__annotations__)}"
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
