"""Names of resources, made of the paths of a document."""

import re
from collections.abc import Collection, Iterable, Mapping

from analytics_assets.config.api import NAME
from analytics_assets.config.resource import LOAD_HEALTH, LOADED_PARTITIONS, REJECTED_ROWS
from analytics_assets.contract.compat import snake_case

# the last part of a path that names an action, or a page, and not the rows
ACTIONS = ("list", "search", "query", "all", "index", "get_all", "find", "fetch")
VERBS = ("list_", "get_all_", "get_", "search_", "fetch_")
VERSION = re.compile(r"v?\d+(\.\d+)*|api|rest|latest", re.IGNORECASE)
LONGEST = 63
TAKEN = (REJECTED_ROWS, LOAD_HEALTH, LOADED_PARTITIONS)


def singular_of(plural: str) -> str:
    """Return the singular of a noun, by its ending.

    Example:
        >>> [singular_of(noun) for noun in ("orders", "companies", "boxes", "status", "series")]
        ['order', 'company', 'box', 'status', 'series']
    """
    if plural.endswith(("ss", "us", "is", "series", "news")) or len(plural) < 3:
        return plural
    if plural.endswith("ies"):
        return f"{plural[:-3]}y"
    if plural.endswith(("xes", "ches", "shes", "sses", "zes")):
        return plural[:-2]
    return plural.removesuffix("s")


def is_search(path: str) -> bool:
    """Return True if a path ends with an action that reads, such as `/search`."""
    last = re.split(r"[/.]", path.rstrip("/"))[-1]
    return _word(last) in (*ACTIONS, "get", "report", "run_report", "filter")


def names_of(paths: Iterable[str], given: Collection[str] = ()) -> Mapping[str, str]:
    """Return a name for each path: its last part, with the ones before it where two are alike.

    Args:
        paths: the paths of a document.
        given: the parameters that have values; paths with them have the shortest names.

    Returns:
        The names by path, unique, and valid as those of resources.

    Example:
        >>> dict(names_of(["/v1/orders", "/v1/users/{id}/orders", "/v1/users/list"]))
        {'/v1/orders': 'orders', '/v1/users/{id}/orders': 'users_orders', '/v1/users/list': 'users'}
    """
    split = {path: _words(path) for path in paths}
    words = {path: own for path, (own, _) in split.items()}
    names: dict[str, str] = {}
    taken: set[str] = set(TAKEN)
    # the shortest path has the shortest name
    for path in sorted(words, key=lambda path: (not _uses(path, given), *_length(path, words))):
        own = words[path]
        options = ["_".join(own[-count:]) for count in range(1, len(own) + 1)]
        options.append("_".join((*own, *split[path][1])))
        valid = [_valid(option) for option in options]
        name = next((each for each in valid if each not in taken), None)
        number = 2
        while name is None or name in taken:
            end = f"_{number}"
            name, number = f"{valid[-1][: LONGEST - len(end)]}{end}", number + 1
        taken.add(name)
        names[path] = name
    return {path: names[path] for path in words}


def _uses(path: str, given: Collection[str]) -> bool:
    return any(f"{{{name}}}" in path for name in given)


def _length(path: str, words: Mapping[str, list[str]]) -> tuple[int, int, str]:
    return len(words[path]), path.count("{"), path


def _words(path: str) -> tuple[list[str], list[str]]:
    """Return the parts of a path that name something, in snake case, and the actions at its end."""
    parts = [part for part in path.split("/") if part and "{" not in part]
    words = [_word(part) for part in parts if not VERSION.fullmatch(part)]
    words = [word for word in words if word]
    actions: list[str] = []
    while len(words) > 1 and words[-1] in ACTIONS:
        actions.insert(0, words.pop())
    return words or ["rows"], actions


def _word(part: str) -> str:
    """Return a part of a path as a word: `calls` of `Calls.json`, `users` of `users.list`."""
    name, _, end = part.partition(".")
    if end and end.lower() not in (*ACTIONS, "json", "xml", "php", "jsonp"):
        name = part
    word = re.sub(r"[^a-z0-9]+", "_", snake_case(name)).strip("_")
    verb = next((verb for verb in VERBS if word.startswith(verb) and word != verb), "")
    return word.removeprefix(verb)


def _valid(name: str) -> str:
    """Return a name as one of a resource may be."""
    found = re.sub(r"_+", "_", name)
    found = found if found[:1].isalpha() else f"r_{found.strip('_')}"
    found = found[:LONGEST].strip("_")
    return found if NAME.fullmatch(found) else "rows"
