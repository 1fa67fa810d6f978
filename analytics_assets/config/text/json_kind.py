"""Names of the kinds of JSON values, for errors that show no value."""

from typing import Any

KINDS: dict[type, str] = {
    dict: "an object",
    list: "a list",
    tuple: "a list",
    str: "a text",
    bytes: "a text",
    bool: "a truth value",
    type(None): "null",
}


def json_kind(value: Any) -> str:
    """Name the kind of a JSON value.

    Example:
        >>> [json_kind(value) for value in ({}, [1], "a", True, None, 1.5)]
        ['an object', 'a list', 'a text', 'a truth value', 'null', 'a number']
    """
    return KINDS.get(type(value), "a number")
