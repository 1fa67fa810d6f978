"""The parts of `api.py` that are no plain values: settings, calls, and entries with a comment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Word:
    """A name of Python, such as `dlt.secrets.value`.

    Args:
        text: the name.
    """

    text: str


@dataclass(frozen=True)
class Call:
    """A call such as `Incremental(param="since")`.

    Args:
        name: the function.
        arguments: its keyword arguments.
    """

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Inactive:
    """A value of an entry that is written as a comment.

    Args:
        value: the value.
    """

    value: Any


SECRET = Word("dlt.secrets.value")
SETTING = Word("dlt.config.value")
