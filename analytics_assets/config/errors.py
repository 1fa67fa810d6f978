"""Errors that the user can correct: their classes, and the phrases of their messages."""

import difflib
from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from analytics_assets.redaction.redactor import redact

# what the databases and tools that people come from call a key or a value
WORDS_OF_OTHERS = {
    "array": "json",
    "boolean": "bool",
    "cron": "schedule",
    "cursor_field": "cursor_path",
    "daily": "day",
    "datetime": "timestamp",
    "dict": "json",
    "float": "double",
    "incremental": "merge",
    "int": "bigint",
    "integer": "bigint",
    "list": "json",
    "monthly": "month",
    "number": "double",
    "object": "json",
    "overwrite": "replace",
    "pagination": "paginator",
    "query": "params",
    "records": "data_selector",
    "str": "text",
    "string": "text",
    "truncate": "replace",
    "tz": "timezone",
    "unique_key": "primary_key",
    "upsert": "merge",
    "url": "path",
    "varchar": "text",
    "weekly": "week",
}

Error = TypeVar("Error", bound=BaseException)


class AnalyticsAssetsError(Exception):
    """The root of all errors that this project raises itself.

    The message is a sentence or two: the event, its place (API, resource, offset, setting) and the
    remedy. It never contains a secret that this process knows. Each folder derives its own classes.

    Args:
        message: the message.
        *args: further ones of the class that is derived from.
        **kwargs: likewise.
    """

    def __init__(self, message: str = "", *args: Any, **kwargs: Any) -> None:
        super().__init__(redact(message), *args, **kwargs)


class ConfigurationError(AnalyticsAssetsError, ValueError):
    """An entry of `api.py` is wrong; raised when the definitions load.

    dlt raises a `ValueError` for most of them.
    """


class SettingsError(AnalyticsAssetsError):
    """A setting is missing or cannot be used; the message names it and the places for it."""


class MissingSettingError(SettingsError):
    """A setting is found nowhere; the message names it and the folders that were searched."""


class UnreachableFolderError(SettingsError):
    """A setting names a folder that is not there; the message has both."""


def refuse_unknown_keys(where: str, entry: Any, known: Collection[str]) -> None:
    """Raise a `ConfigurationError` for the first key of `entry` that is not known.

    Args:
        where: the name of the entry in the message.
        entry: the dictionary to check.
        known: the keys that it may have.

    Raises:
        ConfigurationError: names the key, the closest known one and all known ones, or the kind
            of an `entry` that is no dictionary.
    """
    if not isinstance(entry, Mapping):
        raise ConfigurationError(f"{where} is a {type(entry).__name__}; give a dictionary.")
    for key in entry:
        if key not in known:
            raise ConfigurationError(
                f"{where}: unknown key {key!r}{did_you_mean(key, known)} "
                f"Known keys are {listed(sorted(known))}."
            )


def did_you_mean(word: str, known: Collection[str]) -> str:
    """Return the end of a sentence that suggests the known word closest to `word`.

    Example:
        >>> did_you_mean("schedul", ["schedule", "timezone"])
        '; did you mean `schedule`?'
        >>> did_you_mean("integer", ["bigint", "text"])
        '; did you mean `bigint`?'
    """
    meant = WORDS_OF_OTHERS.get(str(word).lower())
    close = [meant] if meant in known else difflib.get_close_matches(str(word), known, n=1)
    return f"; did you mean `{close[0]}`?" if close else "."


def listed(names: Collection[str]) -> str:
    """Return names separated by commas, in backticks, or "none".

    Example:
        >>> listed(["id", "name"])
        '`id`, `name`'
    """
    return ", ".join(f"`{name}`" for name in names) or "none"


def without_name(error: BaseException | str, resource: str) -> str:
    """Return the message of an error without the resource's name that it may begin with.

    Example:
        >>> without_name(ValueError("orders: no rows"), "orders")
        'no rows'
    """
    return str(error).removeprefix(f"{resource}: ")


def find_cause(error: BaseException, kind: type[Error] | tuple[type[Error], ...]) -> Error | None:
    """Return the first error of `kind` in the chain of causes of `error`.

    dlt wraps an error of a resource into its own; the one with the remedy is further down.

    Args:
        error: the error that was caught.
        kind: the class to look for, or several.

    Returns:
        The error found, `error` itself included, or None.

    Example:
        >>> try:
        ...     raise ValueError("outer") from KeyError("inner")
        ... except ValueError as caught:
        ...     find_cause(caught, KeyError)
        KeyError('inner')
    """
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        if isinstance(current, kind):
            return current
        seen.add(id(current))
        current = current.__cause__ or current.__context__
    return None
