"""An API in the words of YAML: those of `Api`, with loads and spans of time as plain values."""

import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from analytics_assets.config.api import Api
from analytics_assets.config.errors import ConfigurationError, refuse_unknown_keys
from analytics_assets.config.load import Full, Incremental, Partitioned
from analytics_assets.config.times.window import Window
from analytics_assets.config.validation.structure import PARTS_OF_CONFIG
from analytics_assets.orchestration.api_file.errors import errors_located
from analytics_assets.orchestration.api_file.yaml_file import SWITCHES, rendered

OF_API = ("name", "openapi", "openapi_path", "default_policy", "policies")
UNITS = {
    "ms": "milliseconds",
    "s": "seconds",
    "m": "minutes",
    "h": "hours",
    "d": "days",
    "w": "weeks",
}
SPAN = re.compile(rf"(\d+) ?({'|'.join(UNITS)})")
LOADS = {"full": Full, "incremental": Incremental, "partitioned": Partitioned}


def api_of(attributes: Mapping[str, Any], file: Path) -> Api:
    """Return the API that a `defs.yaml` describes.

    Args:
        attributes: those of the component, with templates as they are written.
        file: the file. Its folder's name is the API's, unless `name` says another one, and
            `openapi` is a path below that folder.

    Raises:
        ConfigurationError: a part is wrong; the message begins with file and line.

    Example:
        >>> words = {
        ...     "client": {"base_url": "https://shop.example.com"},
        ...     "resources": ["orders"],
        ...     "policies": {"orders": {"freshness": "3d", "load": "full"}},
        ... }
        >>> api = api_of(words, Path("defs/shop/defs.yaml"))
        >>> api.name, api.resources["orders"].policy.freshness.days
        ('shop', 3)
    """
    with errors_located(str(file)):
        where = f"API `{file.parent.name}`"
        refuse_unknown_keys(where, attributes, (*OF_API, *PARTS_OF_CONFIG))
        words = _without_dates(where, rendered(where, attributes))
        document = words.get("openapi")
        options = {"openapi_path": words["openapi_path"]} if "openapi_path" in words else {}
        return Api(
            name=str(words.get("name") or file.parent.name),
            file=str(file),
            config={name: words[name] for name in PARTS_OF_CONFIG if words.get(name) is not None},
            default_policy=_policy("`default_policy`", words.get("default_policy")),
            policies={
                name: _policy(f"policy of `{name}`", policy)
                for name, policy in _mapping("`policies`", words.get("policies")).items()
            },
            openapi=str(file.parent / document) if document else None,
            **options,
        )


def _policy(where: str, given: Any) -> Any:
    policy = dict(_mapping(where, given))
    if "load" in policy:
        policy["load"] = _load(where, policy["load"])
    for name in ("freshness", "max_runtime"):
        if policy.get(name) is not None:
            policy[name] = _span(where, name, policy[name])
    for name in SWITCHES:
        if isinstance(policy.get(name), bool):
            policy[name] = "on" if policy[name] else "off"
    return policy


def _load(where: str, given: Any) -> Full | Incremental | Partitioned:
    named = {given: {}} if isinstance(given, str) else given
    kinds = list(named) if isinstance(named, Mapping) else []
    if len(kinds) != 1 or kinds[0] not in LOADS:
        raise ConfigurationError(
            f"{where}: `load` is {given!r}; give `full`, or one of `incremental` and "
            "`partitioned` with its options below it."
        )
    kind = LOADS[kinds[0]]
    options = dict(_mapping(f"{where}: `{kinds[0]}`", named[kinds[0]]))
    for name, read in _READ.get(kinds[0], {}).items():
        if name in options:
            options[name] = read(where, name, options[name])
    made: Full | Incremental | Partitioned = _made(f"{where}: `{kinds[0]}`", kind, options)
    return made


def _window(where: str, name: str, given: Any) -> Any:
    where = f"{where}: `{name}`"
    options = dict(_mapping(where, given))
    if options.get("resolution") is not None:
        options["resolution"] = _span(where, "resolution", options["resolution"])
    return _made(where, Window, options)


def _span(where: str, name: str, given: Any) -> timedelta:
    found = SPAN.fullmatch(given) if isinstance(given, str) else None
    if found is None:
        raise ConfigurationError(
            f"{where}: `{name}` is {given!r}; give a number and a unit, such as '90m', '36h', "
            "'3d' or '2w'."
        )
    try:
        return timedelta(**{UNITS[found[2]]: int(found[1])})
    except OverflowError:
        raise ConfigurationError(
            f"{where}: `{name}` is {given!r}, longer than any span of time; give a shorter one."
        ) from None


def _day(where: str, name: str, given: Any) -> Any:
    try:
        return date.fromisoformat(given)
    except (TypeError, ValueError):
        raise ConfigurationError(
            f"{where}: `{name}` is {given!r}; give a date such as 2026-01-01."
        ) from None


_READ: Mapping[str, Mapping[str, Callable[[str, str, Any], Any]]] = {
    "incremental": {"lookback": _span},
    "partitioned": {"start": _day, "window": _window},
}


def _made(where: str, kind: Any, options: Mapping[str, Any]) -> Any:
    """Return an object of a load's class."""
    known = [each for each in fields(kind) if each.init]
    refuse_unknown_keys(where, options, [each.name for each in known])
    try:
        return kind(**options)
    except TypeError as error:  # an option without a default
        name = str(error).rpartition(": ")[2].strip("'")
        raise ConfigurationError(f"{where} has no `{name}`; add it.") from None
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}: {error}") from None


def _mapping(where: str, given: Any) -> Mapping[str, Any]:
    if not isinstance(given, Mapping | None):
        raise ConfigurationError(f"{where} is a {type(given).__name__}; give options below it.")
    return given or {}


def _without_dates(where: str, value: Any) -> Any:
    """Return a value with its dates as the texts that were written.

    Raises:
        ConfigurationError: a time stands without quotes: its text is not known any more.
    """
    if isinstance(value, Mapping):
        return {key: _without_dates(f"{where}: `{key}`", part) for key, part in value.items()}
    if isinstance(value, list):
        return [_without_dates(where, part) for part in value]
    if isinstance(value, datetime):
        raise ConfigurationError(
            f"{where} is a time without quotes, which YAML rewrites; put it into quotes."
        )
    return value.isoformat() if isinstance(value, date) else value
