"""The text of `defs.yaml`, the component `RestApi`."""

import re
import textwrap
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from analytics_assets.cli.commands.new.proposal.from_document import ProposedApi
from analytics_assets.cli.commands.new.proposal.resource import Guess
from analytics_assets.cli.commands.new.writing.entries import config_of, policies_of
from analytics_assets.cli.commands.new.writing.literal import WIDTH, one_line
from analytics_assets.cli.commands.new.writing.nodes import Call, Inactive, Word
from analytics_assets.orchestration.api_file import COMPONENT

PLAIN = re.compile(r"(?!(?:true|false|null|yes|no|on|off|y|n)$)[A-Za-z/][\w./$-]*", re.I | re.A)
TEMPLATE = re.compile(r"\{[{%#]")
ABOUT = (
    "The {name} API, as data. Each `# check:` names a guess, and the reason; `analytics-assets "
    "check` finds out which are wrong. {{{{ dlt.config.value }}}} and {{{{ dlt.secrets.value }}}} "
    "are settings, looked up in each run."
)
STEP = 2


def yaml_file(name: str, api: ProposedApi, document: str | None, openapi_path: str | None) -> str:
    """Return the text of `defs.yaml`.

    Args:
        name: the API's name, which is that of the folder.
        api: the proposal.
        document: the file of the document beside it; None if there is none.
        openapi_path: the path or URL at which the API serves its document; None if it serves none.
    """
    attributes: dict[str, Any] = {}
    if document:
        attributes["openapi"] = document
        attributes |= {} if openapi_path == "/openapi.json" else {"openapi_path": openapi_path}
    attributes |= config_of(api)
    if policies := policies_of(api):
        attributes["policies"] = policies
    about = textwrap.wrap(ABOUT.format(name=name), WIDTH - STEP)
    parts = {"type": COMPONENT, "attributes": attributes}
    return "\n".join([*(f"# {line}" for line in about), *_mapping(parts, 0), ""])


def _mapping(value: Mapping[str, Any], indent: int) -> Iterator[str]:
    for name, part in value.items():
        yield from _entry(f"{_key(str(name))}:", part, indent)


def _entry(prefix: str, value: Any, indent: int) -> list[str]:
    """Return the lines of a key with its value, or of an element of a list."""
    space = " " * indent
    if isinstance(value, Guess):
        lines = _entry(prefix, value.value, indent)
        if not value.check:
            return lines
        behind = f"{lines[0]}  # check: {one_line(value.check)}"
        if len(lines) == 1 and len(behind) <= WIDTH and not isinstance(value.value, Inactive):
            return [behind]
        lead = f"{space}# "
        comment = textwrap.wrap(
            f"check: {one_line(value.check)}",
            WIDTH,
            initial_indent=lead,
            subsequent_indent=lead,
            break_long_words=False,
        )
        return [*comment, *lines]
    if isinstance(value, Inactive):
        return [f"{space}# {line[indent:]}" for line in _entry(prefix, value.value, indent)]
    if isinstance(value, Call):
        value = _load(value)
    flow = _flow(value)
    if flow is not None and len(line := f"{space}{prefix} {flow}") <= WIDTH:
        return [line]
    if isinstance(value, Mapping):
        return [f"{space}{prefix}", *_mapping(value, indent + STEP)]
    if isinstance(value, list):
        return [f"{space}{prefix}", *(line for each in value for line in _element(each, indent))]
    return [f"{space}{prefix} {flow}"]


def _element(value: Any, indent: int) -> list[str]:
    """Return the lines of an element of a list, whose first line has the dash."""
    if not isinstance(value, Mapping):
        return _entry("-", value, indent + STEP)
    first, *others = _mapping(value, indent + 2 * STEP)
    return [f"{' ' * (indent + STEP)}- {first.lstrip()}", *others]


def _load(call: Call) -> Any:
    """Return a call such as `Incremental(...)` in the words of YAML."""
    arguments = {
        name: dict(part.arguments) if isinstance(part, Call) else part
        for name, part in call.arguments.items()
    }
    return {call.name.lower(): arguments}


def _flow(value: Any) -> str | None:
    """Return a value on one line; None if it has comments, or parts with parts of their own."""
    if isinstance(value, Guess):
        return None if value.check else _flow(value.value)
    if isinstance(value, Inactive | Call):
        return None
    if isinstance(value, Mapping | list):
        parts = value if isinstance(value, list) else list(value.values())
        nested = [part.value if isinstance(part, Guess) else part for part in parts]
        if any(isinstance(part, Mapping | list) and part for part in nested):
            return None
        texts = [_flow(part) for part in parts]
        if None in texts:
            return None
        if isinstance(value, list):
            return f"[{', '.join(map(str, texts))}]"
        pairs = zip(map(_key, map(str, value)), texts, strict=True)
        return f"{{{', '.join(f'{name}: {text}' for name, text in pairs)}}}"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, Word):
        return f'"{{{{ {value.text} }}}}"'
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, date):
        return value.isoformat()
    text = TEMPLATE.sub(lambda found: f"{{{{ '{found[0]}' }}}}", str(value))
    return text if PLAIN.fullmatch(text) else _quoted(text)


def _key(name: str) -> str:
    return name if PLAIN.fullmatch(name) else _quoted(name)


def _quoted(text: str) -> str:
    """Return a text in double quotes, by the escapes of YAML."""
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    code = ord(character)
    if code < 2**8:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 2**16 else f"\\U{code:08x}"
