"""Places in a request: a query parameter, a path in a JSON body, a field of a form, a header.

`Window`, `Incremental`, `newest` and paginators name the parameters of a request by their places.
What a user writes into `params`, `json`, `data` or `headers` of an entry is left as it is.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, get_args

from analytics_assets.config.errors import ConfigurationError
from analytics_assets.config.text.json_kind import json_kind

Part = Literal["params", "json", "data", "headers"]
PARTS: Mapping[str, Part] = {part: part for part in get_args(Part)}
STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d{1,4})\]")
JSON_PATH = re.compile(r"[^.\[\]]+(?:\.[^.\[\]]+|\[\d{1,4}\])*")
HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 section 5.1
EMPTY: Any = object()


class PlaceError(ConfigurationError):
    """A name is no place, or a request has something else there; the text is the reason."""


@dataclass(frozen=True)
class Place:
    """A place in a request.

    | name | place |
    | --- | --- |
    | `start`, `created[gte]` | the query parameter of that name |
    | `json.dateRanges[0].startDate` | a path in the JSON body |
    | `data.from` | a field of a form |
    | `headers.X-From` | a header |
    | `params.json.x` | the query parameter `json.x` |

    Args:
        name: the place as it is written.
        part: the part of the request, by the name that dlt and requests give it.
        path: the names and the list indexes that lead there; outside of JSON, one name.
    """

    name: str
    part: Part
    path: tuple[str | int, ...]

    @classmethod
    @lru_cache(maxsize=1024)
    def of(cls, name: str) -> "Place":
        """Return the place of a name.

        Raises:
            PlaceError: the name is no place.

        Example:
            >>> Place.of("json.dateRanges[0].startDate").path
            ('dateRanges', 0, 'startDate')
            >>> Place.of("created[gte]").part
            'params'
        """
        prefix, dot, rest = name.partition(".")
        part = PARTS.get(prefix) if dot else None
        if part is None:
            return cls(name, "params", (name,))
        if not rest.strip():
            raise PlaceError(f"it names nothing behind `{prefix}.`")
        if part == "headers" and not HEADER.fullmatch(rest):
            raise PlaceError(f"`{rest}` is no name of a header")
        if part != "json":
            return cls(name, part, (rest,))
        if not JSON_PATH.fullmatch(rest):
            raise PlaceError(
                f"`{rest}` is no path in a JSON body; join names by dots, and write list indexes "
                "in brackets: `json.dateRanges[0].startDate`"
            )
        steps = (found.groups() for found in STEP.finditer(rest))
        return cls(name, part, tuple(each if each else int(index) for each, index in steps))

    @property
    def has_types(self) -> bool:
        """True in JSON, where a number is another value than its text."""
        return self.part == "json"

    @property
    def query_name(self) -> str | None:
        """The name of the query parameter; None for another part of the request."""
        return str(self.path[0]) if self.part == "params" else None

    def is_at(self, other: "Place") -> bool:
        """True if two names are of one place."""
        return self._identity == other._identity

    @property
    def _identity(self) -> tuple[Any, ...]:
        path = [str(step).lower() for step in self.path] if self.part == "headers" else self.path
        return self.part, *path

    def value_in(self, request: Mapping[str, Any]) -> Any:
        """Return the value at the place.

        Args:
            request: the parts of the request: an `endpoint` of dlt, or the `vars` of a request.

        Returns:
            The value; `EMPTY` if there is none.

        Example:
            >>> Place.of("json.a[1]").value_in({"json": {"a": [1, None]}}) is None
            True
        """
        found = request.get(self.part)
        for step in self.path:
            if isinstance(found, Mapping):
                found = found.get(self._key(found, step), EMPTY)
            elif isinstance(found, list | tuple) and isinstance(step, int) and step < len(found):
                found = found[step]
            else:
                return EMPTY
        return found

    def put(self, request: Mapping[str, Any], value: Any) -> Any:
        """Return the part of a request with a value at the place; see `value_in`.

        What does not exist on the way is made, and the request is left as it is.

        Raises:
            PlaceError: something else is on the way.

        Example:
            >>> Place.of("json.range[0].from").put({"json": {"metrics": ["views"]}}, "2026-01-31")
            {'metrics': ['views'], 'range': [{'from': '2026-01-31'}]}
        """
        value = str(value) if self.part == "headers" else value
        # requests has an empty list where there is no form
        return self._put(request.get(self.part) or None, self.path, value)

    def _put(self, found: Any, path: tuple[str | int, ...], value: Any) -> Any:
        if not path:
            return value
        step, rest = path[0], path[1:]
        if isinstance(step, int):
            return self._put_in_list([] if found in (None, EMPTY) else found, step, rest, value)
        known = {} if found in (None, EMPTY) else found
        if not isinstance(known, dict):
            raise PlaceError(self._in_the_way(known, rest, f"an object with `{step}`"))
        key = self._key(known, step)
        return {**known, key: self._put(known.get(key, EMPTY), rest, value)}

    def _put_in_list(
        self, found: Any, index: int, rest: tuple[str | int, ...], value: Any
    ) -> list[Any]:
        if not isinstance(found, list | tuple):
            raise PlaceError(self._in_the_way(found, rest, "a list"))
        if index > len(found):
            raise PlaceError(
                f"the list has {len(found)} elements before it, so that there would be a gap at "
                f"[{len(found)}]"
            )
        known = found[index] if index < len(found) else EMPTY
        return [*found[:index], self._put(known, rest, value), *found[index + 1 :]]

    def _in_the_way(self, found: Any, rest: tuple[str | int, ...], needed: str) -> str:
        where = _written(self.part, self.path[: len(self.path) - len(rest) - 1])
        return f"`{where}` is {json_kind(found)}, and not {needed}"

    def _key(self, known: Mapping[Any, Any], step: str | int) -> Any:
        """Return the key by which a mapping has a step: headers by any case of their names."""
        if self.part != "headers":
            return step
        return next((key for key in known if str(key).lower() == str(step).lower()), step)


def placed(request: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request, or an endpoint, with values at places.

    Args:
        request: its parts, see `Place.value_in`; left as it is.
        values: the values by the names of their places.

    Raises:
        PlaceError: a name is no place, or something else is there.

    Example:
        >>> placed({"params": {"a": 1}}, {"json.to": 5, "json.from": 4, "b": 2})
        {'params': {'a': 1, 'b': 2}, 'json': {'from': 4, 'to': 5}}
    """
    parts = dict(request)
    for place, value in _in_order(values):
        parts[place.part] = place.put(parts, value)
    return parts


def filled(
    templates: Mapping[str, Any], values: Mapping[str, str], are_numbers: bool = False
) -> dict[str, Any]:
    """Return parameters with values in place of some texts.

    Args:
        templates: the parameters by their places.
        values: the values by the texts that they replace, such as `{start}`.
        are_numbers: True to make a number of a value that is all of a text in a JSON body.

    Example:
        >>> filled({"q": "since:{start}", "json.a": ["{start}"]}, {"{start}": "5"}, True)
        {'q': 'since:5', 'json.a': [5]}
    """
    either = re.compile("|".join(map(re.escape, values)))

    def part(template: Any, as_number: bool) -> Any:
        if isinstance(template, str):
            whole = values.get(template) if as_number else None
            return int(whole) if whole else either.sub(lambda found: values[found[0]], template)
        if isinstance(template, Mapping):
            return {part(key, False): part(each, as_number) for key, each in template.items()}
        if isinstance(template, list | tuple):
            return [part(each, as_number) for each in template]
        return template

    return {
        name: part(template, are_numbers and Place.of(name).has_types)
        for name, template in templates.items()
    }


def literal(value: Any) -> Any:
    """Return a value of an entry that is sent as it is, braces included.

    dlt replaces `{name}` in the texts of a request, and makes one brace of two.
    """
    if isinstance(value, str):
        return value.replace("{", "{{").replace("}", "}}")
    if isinstance(value, Mapping):
        return {literal(key): literal(each) for key, each in value.items()}
    return [literal(each) for each in value] if isinstance(value, list | tuple) else value


def _in_order(values: Mapping[str, Any]) -> Iterator[tuple[Place, Any]]:
    """Yield places in the order in which lists grow."""
    places = sorted(
        (Place.of(name) for name in values),
        key=lambda place: [(isinstance(step, str), step) for step in place.path],
    )
    for place in places:
        yield place, values[place.name]


def _written(part: Part, path: tuple[str | int, ...]) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return part + "".join(steps)
