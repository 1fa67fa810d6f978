"""Errors of Python in a user's file: a reason of one line, the nearest right word, the remedy."""

import ast
import builtins
import os
import re
import sys
from collections.abc import Collection, Iterator
from traceback import extract_tb, walk_tb

from dlt.common.configuration.exceptions import ConfigFieldMissingException

from analytics_assets.config.errors import did_you_mean
from analytics_assets.config.policy import PolicyEntry
from analytics_assets.config.validation.structure import PARTS_OF_CONFIG
from analytics_assets.orchestration.api_file.files import is_users

ARGUMENT = re.compile(r"(\w+)\.__init__\(\) got an unexpected keyword argument '(\w+)'")
IMPORTED = re.compile(r"cannot import name '(\w+)' from '([\w.]+)'")
IMPORTS = {
    **{name: f"from datetime import {name}" for name in ("date", "datetime", "timedelta", "UTC")},
    "Path": "from pathlib import Path",
    "dg": "import dagster as dg",
    "dlt": "import dlt",
    "os": "import os",
}
CORRECT = "Correct the line."
PACKAGE = sys.modules[__name__.partition(".")[0]]


def reason(error: BaseException) -> str:
    """Return the class of an error and its message, in one line without a full stop."""
    lines = str(error).splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}".rstrip(".: ")


def remedy(error: BaseException) -> str:
    """Return the end of a sentence about an error in a file: the word that was meant, what to do.

    Example:
        >>> remedy(NameError("name 'Incrementall' is not defined", name="Incrementall"))
        '; did you mean `Incremental`? Correct the line.'
    """
    if isinstance(error, ConfigFieldMissingException):
        return (
            ". Write `dlt.secrets.value` or `dlt.config.value` in its place: each run looks it up, "
            "and definitions load without it."
        )
    if isinstance(error, KeyError) and _is_raised_in(error, os.__file__):
        return (
            ": the environment has no such variable. Set it, or write `dlt.secrets.value` in its "
            "place, which each run looks up."
        )
    if isinstance(error, NameError) and (line := _import_of(str(error.name))):
        return f": write `{line}` above."
    word, known = _word_and_known(error)
    if belongs := _place_of_argument(error, word):
        return f"; {belongs}."
    return f"{did_you_mean(word, known) if word else '.'} {CORRECT}"


def _import_of(name: str) -> str | None:
    """Return the line that imports a name which `api.py` often has; None for another name."""
    line = f"from analytics_assets import {name}" if name in PACKAGE.__all__ else None
    return IMPORTS.get(name, line)


def line_without_comma(text: str, line: int) -> int | None:
    """Return the line before an error of syntax if it lacks a comma at its end; None if not.

    Python 3.11 reports the line after it as invalid, and gives no reason.

    Args:
        text: the file.
        line: the line of the error, from 1.
    """
    lines = text.splitlines()
    before = next((each for each in range(line - 1, 0, -1) if lines[each - 1].strip()), None)
    if before is None:
        return None
    lines[before - 1] = f"{lines[before - 1].rstrip()},"
    try:
        ast.parse("\n".join(lines))
    except SyntaxError as error:
        return before if (error.lineno or 0) > line else None
    return before


def _word_and_known(error: BaseException) -> tuple[str, Collection[str]]:
    """Return the word that an error is about, and those that could have been meant."""
    if isinstance(error, ModuleNotFoundError):
        return str(error.name), {*sys.modules, *sys.stdlib_module_names}
    if isinstance(error, ImportError) and (found := IMPORTED.match(str(error))):
        module = sys.modules.get(found[2])
        return found[1], {*dir(module), *getattr(module, "__all__", ())}
    if isinstance(error, NameError):
        known = {*PACKAGE.__all__, *dir(builtins), *_names_at(error)}
        return str(error.name), known
    if isinstance(error, AttributeError):
        return str(error.name), dir(error.obj)
    if found := ARGUMENT.match(str(error)):
        owner = getattr(PACKAGE, found[1], None)
        return found[2], getattr(owner, "__dataclass_fields__", ())
    return "", ()


def _names_at(error: BaseException) -> Iterator[str]:
    """Yield the names that the user's file has where an error was raised."""
    for frame, _ in walk_tb(error.__traceback__):
        if is_users(frame.f_code.co_filename):
            yield from frame.f_globals


def _place_of_argument(error: BaseException, word: str) -> str | None:
    """Return the right place of an argument that `Api` does not have."""
    if not str(error).startswith("Api.__init__() got an unexpected"):
        return None
    if word in PolicyEntry.__annotations__:
        return f"put `{word}` into `default_policy`, or into `policies` of a resource"
    return f"put `{word}` into `config`" if word in PARTS_OF_CONFIG else None


def _is_raised_in(error: BaseException, file: str) -> bool:
    frames = extract_tb(error.__traceback__)
    return bool(frames) and frames[-1].filename in (file, "<frozen os>")
