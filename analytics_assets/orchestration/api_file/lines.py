"""The lines of an API's file: those of its entries, and of the part that an error is about."""

import ast
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from analytics_assets.orchestration.api_file.yaml_file import tree_of_yaml

QUOTED = re.compile(r"""[`'"]([\w.=\- ]+)[`'"]""")
REMEDY = re.compile(r"; |\. |: give ")  # what follows names other parts
POLICY_OF = re.compile(r"policy of `([^`]+)`")
RESOURCE = re.compile(r"(?:resource|entry of) `([^`]+)`")
TEMPLATE = re.compile(r"^(?:`\w+` of )?template `([^`]+)`")
NUMBER = re.compile(r"resource (\d+) of API")
PARTS = ("client", "resource_defaults", "default_policy")


class ApiFile:
    r"""The lines of a file that describes an API.

    Entries that a function or a loop makes have none.

    Args:
        text: the content of the file.
        tree: its syntax tree, where it is no Python.

    Example:
        >>> file = ApiFile('config = {\n  "resources": [\n    {"name": "orders"}]}')
        >>> file.entries
        {'orders': 3}
        >>> file.line_of("resource `orders`: unknown key 'prim_key'")
        3
    """

    def __init__(self, text: str, tree: ast.Module | None = None) -> None:
        self._tree = tree or ast.parse(text)
        self._nodes = list(ast.walk(self._tree))
        named = [(self._name_of(node), node) for node in self._listed()]
        self._entries = {name: node for name, node in named if name}

    @classmethod
    def read(cls, file: str | Path) -> "ApiFile":
        """Read an `api.py` or a `defs.yaml`.

        Raises:
            OSError: the file cannot be read.
            SyntaxError: it is no Python.
            yaml.YAMLError: it is no YAML.
        """
        text = Path(file).read_text(encoding="utf-8")
        return cls(text, tree_of_yaml(text) if Path(file).suffix == ".yaml" else None)

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
        scopes, words = self._scopes(event), _words(event)
        for scope in scopes:
            if found := max(_named(scope, words), default=None):
                return found[1]
        return getattr(scopes[0], "lineno", None) if scopes else None

    def line_of_argument(self, message: str, line: int) -> int:
        """Return the line of the argument that an error names, of a call in a line.

        Args:
            message: the error, which quotes the name of the argument.
            line: the line of the call, which is returned if the argument is not found.
        """
        words = _words(REMEDY.split(message, maxsplit=1)[0])
        calls = [each for each in self._nodes if isinstance(each, ast.Call)]
        arguments = [part for each in calls if each.lineno == line for part in each.keywords]
        return next((part.lineno for part in arguments if part.arg in words), line)

    def _scopes(self, event: str) -> list[Any]:
        """Return the parts that an error may be about, the most likely first."""
        if policy := POLICY_OF.search(event):
            return [*self._set_to(policy[1]), *self._set_to("default_policy")]
        if number := NUMBER.search(event):
            return self._listed()[int(number[1]) - 1 :][:1]
        if found := RESOURCE.search(event):
            entry = self._entry(found[1])
            return [*entry, *self._templates_of(entry), *self._set_to("resource_defaults")]
        if template := TEMPLATE.search(event):
            return self._template(template[1])
        parts = [each for part in PARTS if f"`{part}`" in event for each in self._set_to(part)]
        return parts or ([self._tree] if "API `" in event else [])

    def _entry(self, name: str) -> list[Any]:
        return [self._entries[name]] if name in self._entries else []

    def _templates_of(self, entries: list[Any]) -> list[Any]:
        """Return the templates that some entries name."""
        named = [value for each in entries for key, value in _pairs(each) if key == "template"]
        return [part for each in named for part in self._template(getattr(each, "value", None))]

    def _template(self, name: Any) -> list[Any]:
        templates = [pair for part in self._set_to("templates") for pair in _pairs(part)]
        return [self._meant(value) for key, value in templates if key == name]

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
        return ApiFile.read(file).entries if file else {}
    except (OSError, SyntaxError, UnicodeDecodeError, yaml.YAMLError):
        return {}


def _pairs(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Yield what the keys of a dictionary, or the arguments of a call, are set to."""
    yield from ((key, value) for key, _, value in _keys_of(node))
    if isinstance(node, ast.Call):
        yield from ((each.arg, each.value) for each in node.keywords if each.arg)


def _words(event: str) -> set[str]:
    """Return the words that a text quotes, and the parts of paths such as `endpoint.path`."""
    return {part for quoted in QUOTED.findall(event) for part in re.split("[.=]", quoted)}


def _named(node: ast.AST, words: Collection[str], depth: int = 0) -> Iterator[tuple[int, int]]:
    """Yield the keys that some words name: the number of words that lead to one, and its line.

    The one that most words lead to is meant: `type` of `paginator`, not that of another part.
    """
    keyed = {id(value): (key, line) for key, line, value in _keys_of(node)}
    for child in ast.iter_child_nodes(node):
        key, line = keyed.get(id(child), (None, 0))
        if key in words:
            yield depth + 1, line
        yield from _named(child, words, depth + (key in words))


def _keys_of(node: ast.AST) -> Iterator[tuple[Any, int, ast.expr]]:
    """Yield the keys of a dictionary with their lines and values."""
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant):
                yield key.value, key.lineno, value


def _id_of(target: ast.expr) -> str | None:
    return target.id if isinstance(target, ast.Name) else None
