"""The file `defs.yaml` of an API: its parts, its lines, and its templates."""

import ast
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dlt
import yaml
from dlt.common.typing import ConfigValueSentinel

from analytics_assets.config.errors import ConfigurationError
from analytics_assets.orchestration.api_file.files import place

YAML_NAME = "defs.yaml"
COMPONENT = "analytics_assets.RestApi"
TEMPLATE = ("{{", "{%")
SWITCHES = ("automation", "alert")  # whose `on` and `off` are truth values in YAML 1.1
PLAIN = (str, int, float, list, tuple, dict, type(None))
# the plain texts that YAML 1.1 takes for what they show
AS_WRITTEN = {
    "int": re.compile(r"[-+]?(0|[1-9]\d*)"),
    "float": re.compile(r"[^:_]+"),
    "bool": re.compile(r"true|false", re.IGNORECASE),
}


class Environ:
    """The variables of the environment, as `{{ env.NAME }}` or `{{ env("NAME", "default") }}`."""

    def __call__(self, name: str, default: Any = None) -> Any:
        """Return a variable, or a default.

        Raises:
            ConfigurationError: there is neither.
        """
        value = os.environ.get(name, default)
        if value is None:
            raise ConfigurationError(
                f"the environment has no variable `{name}`: set it, or leave the value to a "
                "setting by `{{ dlt.secrets.value }}`, which each run looks up."
            )
        return value

    def __getattr__(self, name: str) -> Any:
        """Return a variable; see `__call__`."""
        if name.startswith(("jinja", "_")):  # asked for by Jinja
            raise AttributeError(name)
        return self(name)


SCOPE: Mapping[str, Any] = {"env": Environ(), "dlt": dlt}


def attributes_in(file: Path) -> Mapping[str, Any] | None:
    """Return the `attributes` of the component `RestApi` in a file.

    Args:
        file: a `defs.yaml`, of one component or of several.

    Returns:
        The attributes, with templates as they are written; None if the file has no such component.

    Raises:
        ConfigurationError: the file is no YAML, has a key twice or a value that YAML rewrites, or
            has several such components.
    """
    text = file.read_text(encoding="utf-8")
    try:
        for node in yaml.compose_all(text, yaml.SafeLoader):
            _refuse_altered(node, file)
        documents = [each for each in yaml.safe_load_all(text) if isinstance(each, Mapping)]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        said = getattr(error, "problem", None) or str(error)
        where = place(str(file), mark.line + 1) if mark else str(file)
        raise ConfigurationError(f"{where}: {said}. Correct the YAML.") from None
    own = [each for each in documents if each.get("type") == COMPONENT]
    if len(own) > 1:
        raise ConfigurationError(
            f"{file.parent.name}/{file.name} describes {len(own)} APIs; give each a folder of its "
            "own."
        )
    return own[0].get("attributes") or {} if own else None


def rendered(where: str, value: Any) -> Any:
    """Return a value of YAML with its templates rendered.

    A text that is nothing but `{{ expression }}` becomes the expression's value, unaltered;
    Dagster's own resolution would make the number 12 of the text "12".

    Args:
        where: the place of the value, for errors.
        value: any value; texts within lists and mappings are rendered, too.

    Raises:
        ConfigurationError: a template is wrong, or names something that is not there.

    Example:
        >>> rendered("`shop`", {"limit": 100, "path": "/v1/{{ 'orders' }}", "code": "007"})
        {'limit': 100, 'path': '/v1/orders', 'code': '007'}
    """
    if isinstance(value, Mapping):
        return {key: rendered(f"{where}: `{key}`", part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [rendered(where, part) for part in value]
    if not isinstance(value, str) or not any(mark in value for mark in TEMPLATE):
        return value
    try:
        return _rendered(value)
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}: {error}") from None
    except Exception as error:  # of Jinja, or of the expression
        raise ConfigurationError(
            f"{where}: a template cannot be rendered: {str(error).rstrip('.')}. It may name "
            "`env.<VARIABLE>`, `dlt.secrets.value` and `dlt.config.value`."
        ) from None


def _rendered(text: str) -> Any:
    import jinja2  # which an API in Python does without

    templates = jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701
        keep_trailing_newline=True,
        finalize=_within_text,
    )
    inner = text.strip()
    if not (inner.startswith("{{") and inner.endswith("}}") and inner.count("{{") == 1):
        return templates.from_string(text).render(**SCOPE)
    found = templates.compile_expression(inner[2:-2], undefined_to_none=False)(**SCOPE)
    if isinstance(found, jinja2.Undefined):
        str(found)  # raises the reason
    if not isinstance(found, PLAIN):
        raise ConfigurationError(f"{text} is no value, but a {type(found).__name__}.")
    return found


def _within_text(value: Any) -> Any:
    """Return a value that is inserted into a text; refuse one that only a run looks up."""
    if isinstance(value, ConfigValueSentinel):
        raise ConfigurationError(
            f"`{value.default_literal}` must be the whole value, as a run looks it up: put the "
            "text around it into the setting, too, or use an `auth` that adds it."
        )
    return value


def tree_of_yaml(text: str) -> ast.Module:
    """Return a YAML file as the syntax tree of a Python literal, with the lines of its parts.

    Args:
        text: the content of the file.

    Example:
        >>> ast.unparse(tree_of_yaml("resources: [orders]"))
        "{'resources': ['orders']}"
    """
    nodes = yaml.compose_all(text, yaml.SafeLoader)
    statements: list[ast.stmt] = [ast.Expr(_literal(node)) for node in nodes]
    return ast.Module(statements, [])


def _literal(node: yaml.Node) -> ast.expr:
    line: Any = {"lineno": node.start_mark.line + 1, "col_offset": node.start_mark.column}
    if isinstance(node, yaml.MappingNode):
        keys: list[ast.expr | None] = [_literal(key) for key, _ in node.value]
        return ast.Dict(keys, [_literal(value) for _, value in node.value], **line)
    if isinstance(node, yaml.SequenceNode):
        return ast.List([_literal(each) for each in node.value], ast.Load(), **line)
    return ast.Constant(node.value, **line)


def _refuse_altered(node: yaml.Node | None, file: Path, key: str = "") -> None:
    """Refuse what YAML's loader alters without a word.

    That is a key that a mapping has twice, and a text without quotes that it rewrites, such as
    `0123` and `no`.
    """
    if isinstance(node, yaml.ScalarNode) and node.style is None:
        tag, where = node.tag.rpartition(":")[2], place(str(file), node.start_mark.line + 1)
        if tag == "timestamp":
            _refuse_no_date(node, where)
        as_written = AS_WRITTEN.get(tag)
        if as_written and not as_written.fullmatch(node.value) and key not in SWITCHES:
            raise ConfigurationError(
                f"{where}: `{node.value}` without quotes is "
                f"{yaml.safe_load(node.value)!r} in YAML. Write that, or put it into quotes."
            )
    known = set[str]()
    parts = node.value if isinstance(node, yaml.MappingNode | yaml.SequenceNode) else ()
    for part in parts:
        name, value = part if isinstance(part, tuple) else (None, part)
        if name is not None:
            _refuse_altered(name, file)
            if str(name.value) in known:
                where = place(str(file), name.start_mark.line + 1)
                raise ConfigurationError(
                    f"{where}: `{name.value}` stands there twice. Take one out."
                )
            known.add(str(name.value))
        _refuse_altered(value, file, str(name.value) if name else "")


def _refuse_no_date(node: yaml.ScalarNode, where: str) -> None:
    """Refuse a text that looks like a date and is none, whose error of PyYAML has no line."""
    try:
        yaml.safe_load(node.value)
    except ValueError as error:
        raise ConfigurationError(
            f"{where}: `{node.value}` is no date: {error}. Correct it, or put it into quotes."
        ) from None
