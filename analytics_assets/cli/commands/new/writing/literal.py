"""Python's text of values, laid out as `ruff format` does, with comments on guesses."""

import textwrap
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from analytics_assets.cli.commands.new.proposal.resource import Guess
from analytics_assets.cli.commands.new.writing.nodes import Call, Inactive, Word

WIDTH = 100
STEP = 4


def lines_of(value: Any, prefix: str = "", suffix: str = "", indent: int = 0) -> list[str]:
    r"""Return the lines of a value.

    Args:
        value: a value, with guesses, settings and calls in it.
        prefix: the text before it on its first line, such as `"name": `.
        suffix: the text after it on its last line.
        indent: the spaces before its lines.

    Example:
        >>> print("\n".join(lines_of({"limit": Guess(100, "by its description")}, "a = ")))
        a = {
            "limit": 100,  # check: by its description
        }
    """
    space = " " * indent
    if isinstance(value, Guess):
        return _checked(value, prefix, suffix, indent)
    if isinstance(value, Inactive):
        return [_commented(line, indent) for line in lines_of(value.value, prefix, suffix, indent)]
    line = f"{space}{prefix}{inline(value)}{suffix}"
    if not _has_comment(value) and (len(line) <= WIDTH or not _parts(value)):
        too_long = len(line) > WIDTH
        return [f"{line}  # noqa: E501" if too_long else line]
    opening, closing = _brackets(value)
    body = [
        line for name, part in _parts(value) for line in lines_of(part, name, ",", indent + STEP)
    ]
    return [f"{space}{prefix}{opening}", *body, f"{space}{closing}{suffix}"]


def _checked(guess: Guess, prefix: str, suffix: str, indent: int) -> list[str]:
    """Return the lines of a guess: its comment behind it, or above if it is too long."""
    if isinstance(guess.value, Inactive):
        lines = lines_of(guess.value, prefix, suffix, indent)
        return [*_comment(guess.check, indent), *lines]
    lines = lines_of(guess.value, prefix, suffix, indent)
    if not guess.check:
        return lines
    behind = f"{lines[0]}  # check: {one_line(guess.check)}"
    if len(lines) == 1 and len(behind) <= WIDTH and "# noqa" not in behind:
        return [behind]
    return [*_comment(guess.check, indent), *lines]


def _comment(check: str | None, indent: int) -> list[str]:
    if not check:
        return []
    lead = f"{' ' * indent}# "
    return textwrap.wrap(
        f"check: {one_line(check)}",
        WIDTH,
        initial_indent=lead,
        subsequent_indent=lead,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _commented(line: str, indent: int) -> str:
    return f"{line[:indent]}# {line[indent:].removesuffix('  # noqa: E501')}"


def inline(value: Any) -> str:
    """Return the text of a value on one line, without its comments."""
    if isinstance(value, Guess):
        return inline(value.value)
    if isinstance(value, Word):
        return value.text
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, timedelta):
        return f"timedelta(days={value.days})"
    if isinstance(value, date):
        return f"date({value.year}, {value.month}, {value.day})"
    parts = _parts(value)
    if not parts and not isinstance(value, Mapping | list | Call):
        return repr(value)
    opening, closing = _brackets(value)
    return f"{opening}{', '.join(f'{name}{inline(part)}' for name, part in parts)}{closing}"


def _parts(value: Any) -> list[tuple[str, Any]]:
    """Return the parts of a container, each with the text before it."""
    if isinstance(value, Call):
        return [(f"{name}=", part) for name, part in value.arguments.items()]
    if isinstance(value, Mapping):
        return [(f"{quoted(str(name))}: ", part) for name, part in value.items()]
    return [("", part) for part in value] if isinstance(value, list) else []


def _brackets(value: Any) -> tuple[str, str]:
    if isinstance(value, Call):
        return f"{value.name}(", ")"
    return ("{", "}") if isinstance(value, Mapping) else ("[", "]")


def _has_comment(value: Any) -> bool:
    if isinstance(value, Guess):
        return bool(value.check) or _has_comment(value.value)
    return isinstance(value, Inactive) or any(_has_comment(part) for _, part in _parts(value))


def quoted(text: str) -> str:
    r"""Return a text as Python, in double quotes unless it has some itself.

    Example:
        >>> print(quoted("it's"), quoted('a "b"'), quoted("x\n"))
        "it's" 'a "b"' "x\n"
    """
    shown = repr(text)
    if shown.startswith('"') or '"' in text:
        return shown
    return f'"{shown[1:-1]}"'


def one_line(text: str) -> str:
    """Return a text without anything that ends a line or steers a terminal."""
    return " ".join("".join(_printable(text)).split())


def _printable(text: str) -> Iterator[str]:
    for character in text:
        yield character if character.isprintable() else " "
