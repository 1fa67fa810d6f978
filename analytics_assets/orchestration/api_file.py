"""The file that describes an API: the lines of its entries, and errors with their line."""

import ast
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from traceback import FrameSummary, extract_tb
from typing import Any

from analytics_assets.config import api as config_api
from analytics_assets.config.errors import AnalyticsAssetsError, ConfigurationError, find_cause
from analytics_assets.config.settings.look_up import unreadable_settings
from analytics_assets.redaction.errors import redacted

NAME = "api.py"
MODULE = "<module>"  # the frame of a module's own statements
QUOTED = re.compile(r"""[`'"]([\w.=\- ]+)[`'"]""")
REMEDY = re.compile(r"; |\. |: give ")  # what follows names other parts
POLICY_OF = re.compile(r"policy of `([^`]+)`")
RESOURCE = re.compile(r"(?:resource|entry of) `([^`]+)`")
NUMBER = re.compile(r"resource (\d+) of API")
PARTS = ("client", "resource_defaults", "default_policy")


class ApiFile:
    r"""The lines of a file that describes an API.

    Entries that a function or a loop makes have none.

    Args:
        text: the content of the file.

    Example:
        >>> file = ApiFile('config = {\n  "resources": [\n    {"name": "orders"}]}')
        >>> file.entries
        {'orders': 3}
        >>> file.line_of("resource `orders`: unknown key 'prim_key'")
        3
    """

    def __init__(self, text: str) -> None:
        self._tree = ast.parse(text)
        self._nodes = list(ast.walk(self._tree))
        named = [(self._name_of(node), node) for node in self._listed()]
        self._entries = {name: node for name, node in named if name}

    @property
    def entries(self) -> Mapping[str, int]:
        """The line of each resource's entry, by its name."""
        return {name: node.lineno for name, node in self._entries.items()}

    def line_of(self, message: str) -> int | None:
        """Return the line of the part that an error is about; None if it is not found.

        Args:
            message: the error, which quotes the names of the part.
        """
        event = REMEDY.split(message, maxsplit=1)[0]
        scopes = self._scopes(event)
        words = {part for quoted in QUOTED.findall(event) for part in re.split("[.=]", quoted)}
        for scope in scopes:
            if found := [key.lineno for key in _keys_in(scope) if key.value in words]:
                return max(found)  # a part of a part is behind its name
        return getattr(scopes[0], "lineno", None) if scopes else None

    def _scopes(self, event: str) -> list[Any]:
        """Return the parts that an error may be about, the most likely first."""
        if policy := POLICY_OF.search(event):
            return [*self._set_to(policy[1]), *self._set_to("default_policy")]
        if number := NUMBER.search(event):
            return self._listed()[int(number[1]) - 1 :][:1]
        if found := RESOURCE.search(event):
            return [*self._entry(found[1]), *self._set_to("resource_defaults")]
        parts = [each for part in PARTS if f"`{part}`" in event for each in self._set_to(part)]
        return parts or ([self._tree] if "API `" in event else [])

    def _entry(self, name: str) -> list[Any]:
        return [self._entries[name]] if name in self._entries else []

    def _set_to(self, name: str) -> list[Any]:
        """Return the dictionaries and calls to which a key or an argument is set."""
        found = [
            self._meant(value) for node in self._nodes for key, value in _pairs(node) if key == name
        ]
        return [value for value in found if isinstance(value, ast.Dict | ast.Call)]

    def _listed(self) -> list[Any]:
        """Return the elements of `resources`."""
        found = [value for node in self._nodes for key, value in _pairs(node) if key == "resources"]
        lists = [each for each in map(self._meant, found) if isinstance(each, ast.List)]
        return [self._meant(element) for each in lists for element in each.elts]

    def _meant(self, value: ast.expr) -> ast.expr:
        """Return what a name of the module stands for."""
        for node in self._tree.body if isinstance(value, ast.Name) else ():
            names = [_id_of(target) for target in getattr(node, "targets", ())]
            if isinstance(node, ast.Assign) and _id_of(value) in names:
                return node.value
        return value

    def _name_of(self, element: ast.AST) -> str | None:
        """Return the name of an entry: a text, a dictionary, or the first argument of a call."""
        if isinstance(element, ast.Call) and element.args:
            element = element.args[0]
        named = [value for key, value in _pairs(element) if key == "name"]
        value = getattr(named[0] if named else element, "value", None)
        return value if isinstance(value, str) else None


def lines_of_entries(file: str | None) -> Mapping[str, int]:
    """Return the line of each resource's entry in a file, by its name; none without a file."""
    try:
        return ApiFile(Path(file).read_text(encoding="utf-8")).entries if file else {}
    except (OSError, SyntaxError, UnicodeDecodeError):
        return {}


@contextmanager
def errors_located() -> Iterator[None]:
    """Add file and line to an error of a user's `api.py`, or of a settings file.

    Raises:
        ConfigurationError: in place of an error in the file, be it one of its syntax or one that
            it raises; others pass unchanged.
        SettingsError: a settings file is no TOML.
    """
    try:
        yield
    except Exception as error:
        located = unreadable_settings(error) or _in_syntax(error) or _in_entry(error)
        located = located or _in_module(error)
        if located is None:
            raise
        raise located from redacted(error)


def user_error(error: BaseException) -> str | None:
    """Return a sentence about an error that a function of an `api.py` raised, with its line.

    Args:
        error: the error of a load, with its causes.

    Returns:
        The sentence; None if no function of such a file raised one of them.
    """
    current: BaseException | None = error
    found = None
    while current is not None:
        frames = _frames_of(current)
        if frames and not isinstance(current, AnalyticsAssetsError):
            found = f"{_place(frames[-1])}: {_reason(current)}."
        current = current.__cause__ or current.__context__
    return found


def shown(file: str) -> str:
    """Return the folder and the name of a file that describes an API: `shop/api.py`."""
    return "/".join(Path(file).parts[-2:])


def _in_syntax(error: BaseException) -> ConfigurationError | None:
    syntax = find_cause(error, SyntaxError)
    if not isinstance(syntax, SyntaxError) or Path(syntax.filename or "").name != NAME:
        return None
    place = f"{shown(str(syntax.filename))}, line {syntax.lineno}"
    return ConfigurationError(f"{place}: {syntax.msg}. Correct the syntax.")


def _in_entry(error: BaseException) -> ConfigurationError | None:
    refused = find_cause(error, ConfigurationError)
    frames = _frames_of(refused) if refused else []
    if not frames:
        return None
    file = frames[-1].filename
    line = ApiFile(Path(file).read_text(encoding="utf-8")).line_of(str(refused))
    if line is None and frames[-1].name == MODULE:
        line = frames[-1].lineno
    return ConfigurationError(f"{refused} See line {line} of {shown(file)}.") if line else None


def _in_module(error: BaseException) -> ConfigurationError | None:
    """Return the error of a statement of the file; what it calls later is not the user's."""
    if find_cause(error, AnalyticsAssetsError):
        return None
    current: BaseException | None = error
    while current is not None:
        frames = [each for each in _frames_of(current) if each.name == MODULE]
        if frames:
            text = f"{_place(frames[-1])}: {_reason(current)}. Correct the line."
            return ConfigurationError(text)
        current = current.__cause__ or current.__context__
    return None


def _frames_of(error: BaseException) -> list[FrameSummary]:
    """Return the frames of an error that are in an `api.py`."""
    return [each for each in extract_tb(error.__traceback__) if _is_api_file(each)]


def _place(frame: FrameSummary) -> str:
    return f"{shown(frame.filename)}, line {frame.lineno}"


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".rstrip(".")


def _is_api_file(frame: FrameSummary) -> bool:
    return Path(frame.filename).name == NAME and frame.filename != config_api.__file__


def _pairs(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Yield what the keys of a dictionary, or the arguments of a call, are set to."""
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value, value
    if isinstance(node, ast.Call):
        yield from ((each.arg, each.value) for each in node.keywords if each.arg)


def _keys_in(scope: ast.AST) -> Iterator[ast.Constant]:
    for node in ast.walk(scope):
        keys = node.keys if isinstance(node, ast.Dict) else ()
        yield from (key for key in keys if isinstance(key, ast.Constant))


def _id_of(target: ast.expr) -> str | None:
    return target.id if isinstance(target, ast.Name) else None
