"""Arrays of values that become fields by their headers."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from analytics_assets.config.entry.rows import Zip
from analytics_assets.config.text.json_kind import json_kind
from analytics_assets.config.text.quantities import count
from analytics_assets.extract.rows.reshaping.errors import RowsError
from analytics_assets.extract.rows.reshaping.header_types import Convert, converter
from analytics_assets.extract.rows.response_body import values_at

NAME = r"[^\W\d][\w-]*"
# a list, or one field of each of its elements: all that vendors have, and twenty times as fast
# as a search
LIST = re.compile(rf"(?:\$\.)?({NAME}(?:\.{NAME})*)(?:\.?\[\*\](?:\.({NAME}))?)?", re.ASCII)
FIRST = re.compile(rf"(?:\$\.)?(?:({NAME})|'([^']+)'|\"([^\"]+)\")", re.ASCII)
ITSELF = "$"
Values = Callable[[Any], list[Any]]
Stays = Callable[[str], bool]


class ZippedRows:
    """Makes the rows of one page.

    Args:
        zips: the arrays of a row.
        body: the page's body, with the names.
        stays: tests if a field's values stay as they are, whatever the vendor's types are.
        exact: True to keep the digits of all numbers, for decimal columns.

    Raises:
        RowsError: a name is none, or is there twice, or types are not as many as names.
    """

    def __init__(
        self, zips: Sequence[Zip], body: Any, stays: Stays = lambda _: False, exact: bool = False
    ) -> None:
        self._parts: list[tuple[Zip, Values, list[str], int]] = []
        self._names: list[str] = []
        self._types: list[tuple[str, Convert]] = []
        for each in zips:
            names = headers(each.names, body)
            _refuse_wrong_names(each, names)
            self._parts.append((each, _values(each.values), names, len(names)))
            self._names += names
            if each.types is not None:
                self._add_types(each, names, body, stays, exact)
        self._taken = {_first_name(each.values) for each in zips} - {""}
        _refuse_repeated(self._names)

    def _add_types(self, each: Zip, names: list[str], body: Any, stays: Stays, exact: bool) -> None:
        types = headers(each.types, body)
        if len(types) != len(names):
            raise RowsError(
                f"the API has {count(len(names), 'name')} at `{_shown(each.names)}` and "
                f"{count(len(types), 'type')} at `{_shown(each.types)}`; correct `types` of `zip`"
            )
        for name, word in zip(names, types, strict=True):
            convert = converter(word, exact) if isinstance(word, str) else None
            if convert and not stays(name):
                self._types.append((name, convert))

    def __call__(self, row: Any) -> dict[str, Any]:
        """Return a row with the values by their names, and its other fields.

        Raises:
            RowsError: it has more or fewer values than there are names, or a field of such a name.
        """
        made: dict[str, Any] = {}
        for each, values_of, names, length in self._parts:
            values = values_of(row)
            if len(values) != length:
                raise RowsError(
                    f"a row has {count(len(values), 'value')} at `{each.values}` for "
                    f"{count(length, 'name')} at `{_shown(each.names)}`; correct `zip` in `rows` "
                    "of the entry"
                )
            made.update(zip(names, values, strict=True))
        for name, convert in self._types:
            made[name] = convert(made[name])
        if isinstance(row, dict) and not row.keys() <= self._taken:
            others = {name: row[name] for name in row if name not in self._taken}
            if same := made.keys() & others.keys():
                raise RowsError(
                    f"a row has a field `{min(same)}`, which is one of the names at "
                    f"`{_shown(self._parts[0][0].names)}`, too; select rows without it, or rename "
                    "it by `processing_steps` in place of `zip`"
                )
            made |= others
        return made


def headers(given: str | Sequence[str] | None, body: Any) -> list[Any]:
    """Return names or types: those given, or those at a path of the body; none without them."""
    if not isinstance(given, str):
        return list(given or ())
    known = LIST.fullmatch(given)
    if known and "*" in given:
        return _of_elements(values_at(known[1], body), known[2], given)
    found = values_at(given, body)
    if found == [None]:
        return []
    return found[0] if len(found) == 1 and isinstance(found[0], list) else found


def _values(path: str) -> Values:
    """Return the function that takes the array of values out of a row."""
    if path == ITSELF:
        return lambda row: row if isinstance(row, list) else _refuse(row, path)
    known = LIST.fullmatch(path)
    if not known:
        return lambda row: headers(path, row)
    outer, inner = known.groups()
    if "*" in path:
        if "." in outer:
            return lambda row: _of_elements(values_at(outer, row), inner, path)
        return lambda row: _of_elements([_object(row).get(outer)], inner, path)

    def listed(row: Any) -> list[Any]:
        found = values_at(outer, row)
        values = found[0] if found else None
        return values if isinstance(values, list) else _refuse(values, path, absent=not found)

    return listed


def _object(row: Any) -> dict[str, Any]:
    if isinstance(row, dict):
        return row
    raise RowsError(f"a row is {json_kind(row)} and no object; correct `values` of `zip`")


def _of_elements(found: list[Any], name: str | None, path: str) -> list[Any]:
    """Return the elements of a list, or one field of each; None where an object lacks it."""
    values = found[0] if found else None
    if not isinstance(values, list):
        return _refuse(values, path, absent=values is None)
    if name is None:
        return values
    try:
        return [value.get(name) for value in values]
    except AttributeError:
        wrong = next(value for value in values if not isinstance(value, dict))
        raise RowsError(
            f"an element of the list at `{path}` is {json_kind(wrong)} and no object with the "
            f"field `{name}`; correct the path in `zip`"
        ) from None


def _refuse(values: Any, path: str, absent: bool = False) -> list[Any]:
    """Return no values where there are none; refuse what is no list.

    Raises:
        RowsError: it is something else.
    """
    if absent or (values is None and path != ITSELF):
        return []
    what = "a row" if path == ITSELF else f"`{path}`"
    raise RowsError(f"{what} is {json_kind(values)} and no list; correct the path in `zip`")


def _refuse_wrong_names(each: Zip, names: list[Any]) -> None:
    for name in names:
        if not (isinstance(name, str) and name.strip()):
            kind = "an empty text" if isinstance(name, str) else json_kind(name)
            raise RowsError(
                f"one of the names at `{_shown(each.names)}` is {kind}; correct `names` of `zip`"
            )


def _refuse_repeated(names: list[str]) -> None:
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise RowsError(
            f"the name `{repeated}` is there twice, so that one of its two values would be lost; "
            "request it once, or give the names as a list in `names` of `zip`"
        )


def _first_name(path: str) -> str:
    found = FIRST.match(path)
    return next(filter(None, found.groups()), "") if found else ""


def _shown(given: Any) -> str:
    return given if isinstance(given, str) else "names" if given else ""
