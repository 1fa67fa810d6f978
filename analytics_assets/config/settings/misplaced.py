"""Settings that are there under another name or in another section than the one looked up."""

import os
import tomllib
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from difflib import SequenceMatcher, get_close_matches
from pathlib import Path
from typing import Any

import dlt

SIMILAR = 0.85  # of the letters of two names: `client_secrt` and `client_secret`, not `client_id`
NAMES = ("secrets.toml", "config.toml")
# of dlt and of this project
SECTIONS = {
    "alerts",
    "destination",
    "extract",
    "history",
    "load",
    "normalize",
    "reading",
    "runtime",
}
FOLDER = ".dlt"


def misplaced(name: str, api_name: str) -> str:
    """Return a sentence about settings that were meant for a missing one; empty for none.

    Names are shown, and no value.

    Args:
        name: the setting that is found nowhere.
        api_name: the API that needs it.
    """
    found = [*_in_files(name, api_name), *_in_environment(name)]
    return f"But there is {'; and '.join(found)}." if found else ""


def misspelled(known: Collection[str]) -> Iterator[str]:
    """Yield a sentence for each setting that nothing reads, and that resembles a known one.

    Args:
        known: the known settings with their sections, such as `reading.passes`.
    """
    names = {name.rpartition(".")[2] for name in known}
    folder = Path(dlt.current.run_context().settings_dir)
    for file in (folder / each for each in NAMES):
        for section, key in _keys_of(file):
            full = f"{section}.{key}".strip(".")
            if full not in known and key not in names and (close := _closest(full, known)):
                yield (
                    f"Nothing reads the setting `{full}` in {FOLDER}/{file.name}; did you mean "
                    f"`{close}`?"
                )
    variables = {_single(name.replace(".", "__").upper()): name for name in known if "." in name}
    for variable in sorted(os.environ):
        if "__" not in variable and (meant := variables.get(_single(variable))):
            yield (
                f"Nothing reads the environment variable `{variable}`; did you mean "
                f"`{meant.replace('.', '__').upper()}`?"
            )


def _closest(name: str, known: Collection[str]) -> str | None:
    return next(iter(get_close_matches(name, known, n=1, cutoff=SIMILAR)), None)


def _single(variable: str) -> str:
    return variable.replace("__", "_")


def _in_files(name: str, api_name: str) -> Iterator[str]:
    folder = Path(dlt.current.run_context().settings_dir)
    for file in (*(folder / each for each in NAMES), *(Path(each) for each in NAMES)):
        shown = f"{file.parent.name}/{file.name}" if file.parent.name else file.name
        for section, key in _keys_of(file):
            if _is_of_others(section, api_name):
                continue
            if key == name and file.parent.name != FOLDER:
                yield f"`{key}` in the file {shown}, which belongs into the folder {FOLDER}"
            elif key == name:
                yield (
                    f"`{key}` in the section [{section}] of {shown}, where it is not looked up: "
                    f"write it into the section [sources.{api_name}]"
                )
            elif _is_meant(key, name):
                yield f"`{key}` in {shown}: write `{name}`"


def _is_of_others(section: str, api_name: str) -> bool:
    """Return True for a section with settings of its own, such as one of another API."""
    first, _, rest = section.partition(".")
    if first == "sources" and rest:
        return SequenceMatcher(None, rest.partition(".")[0], api_name).ratio() < SIMILAR
    return first in SECTIONS


def _keys_of(file: Path) -> Iterator[tuple[str, str]]:
    """Yield section and name of each setting of a file; none of one that cannot be read."""
    with suppress(OSError, ValueError):
        yield from _flat(tomllib.loads(file.read_text(encoding="utf-8")))


def _flat(part: Mapping[str, Any], section: str = "") -> Iterator[tuple[str, str]]:
    for key, value in part.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{section}.{key}".strip("."))
        else:
            yield section, key


def _in_environment(name: str) -> Iterator[str]:
    for variable in sorted(os.environ):
        last = variable.rpartition("__")[2]
        if last.upper() == name.upper() != last:
            yield f"the environment variable `{variable}`, which must be in upper case"
        elif last.startswith("SOURCES_") and last.endswith(f"_{name.upper()}"):
            yield f"the environment variable `{variable}`, where two underscores stand for each dot"
        elif last.isupper() and _is_meant(last.lower(), name):
            yield f"the environment variable `{variable}`: write `{name.upper()}`"


def _is_meant(key: str, name: str) -> bool:
    """Return True if a key is a misspelled name, and not another setting that it begins."""
    if key.startswith(name) or name.startswith(key):
        return False
    return SequenceMatcher(None, key, name).ratio() >= SIMILAR
