"""The key `rows` of an entry: rows that are made of what the API sends."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dlt.common.typing import ConfigValueSentinel
from dlt.sources.helpers.rest_client.paginators import OffsetPaginator

from analytics_assets.config.entry.place import Place, PlaceError
from analytics_assets.config.errors import ConfigurationError, refuse_unknown_keys
from analytics_assets.config.resource import as_endpoint
from analytics_assets.config.validation.selector import unreadable_path
from analytics_assets.redaction.names import is_secret

PARTS = ("entries", "zip", "fields")
PARTS_OF_ENTRIES, PARTS_OF_ZIP = ("key", "value"), ("names", "values", "types")
ORIGINS = ("param", "path", "body")  # of a field that is no constant
SAMPLE = "abcdef"  # a value that is a secret only if its name says so


@dataclass(frozen=True)
class Entries:
    """Rows of an object whose keys are data.

    Args:
        keys: the columns of the keys, from the outermost object to the innermost.
        value: the column of a value that is neither an object nor a list; None if there is none.
    """

    keys: tuple[str, ...]
    value: str | None = None


@dataclass(frozen=True)
class Zip:
    """Arrays of values with the names of their fields.

    Args:
        names: the path of the names in the body, or the names.
        values: the path of the values in a row; `$` for a row that is the array itself.
        types: the path of the vendor's types in the body, or the types; None if there are none.
    """

    names: str | tuple[str, ...]
    values: str
    types: str | tuple[str, ...] | None = None


@dataclass(frozen=True)
class Origin:
    """The origin of an added field.

    Args:
        kind: `param`, `path`, `body`, or `constant`.
        value: the place in the request, the number of a segment of the path, the path in the
            body, or the constant.
    """

    kind: str
    value: Any


@dataclass(frozen=True)
class RowsConfig:
    """The parts of `rows`.

    Args:
        entries: rows of an object whose keys are data; None if they are no such.
        zips: arrays of values with their names.
        fields: fields that are added, by their names.
    """

    entries: Entries | None = None
    zips: tuple[Zip, ...] = ()
    fields: Mapping[str, Origin] = field(default_factory=dict)

    @property
    def makes_rows(self) -> bool:
        """True if rows have other fields than those that the API sends, and not only more."""
        return bool(self.entries or self.zips)


def rows_config(where: str, entry: Mapping[str, Any], paginator: Any = None) -> RowsConfig | None:
    """Read `rows` of an entry.

    Args:
        where: the name of the entry in an error.
        entry: the entry, `resource_defaults` included, of the right structure.
        paginator: its paginator, else that of the client, as configured or as dlt makes it.

    Returns:
        Its parts; None if the entry has none.

    Raises:
        ConfigurationError: names the part and the remedy.
    """
    given = entry.get("rows")
    if given is None:
        return None
    where = f"`rows` of {where}"
    entries = _entries(where, given["entries"]) if given.get("entries") else None
    zips = _zips(where, given.get("zip") or ())
    fields = given.get("fields") or {}
    made = {name: _origin(f"`fields` in {where}: `{name}`", fields[name]) for name in fields}
    rows = RowsConfig(entries, zips, made)
    _refuse_same_names(where, rows)
    endpoint = as_endpoint(entry.get("endpoint"))
    if rows.makes_rows and not endpoint.get("data_selector"):
        part = "entries" if entries else "zip"
        raise ConfigurationError(
            f"{where}: `{part}` needs the place of what becomes rows; set `data_selector` of the "
            'entry to its path, such as "rows", or to "$" for the whole body.'
        )
    selector = str(endpoint.get("data_selector"))
    if selector.endswith("[*]") and any(each.values == "$" for each in zips):
        raise ConfigurationError(
            f"{where}: `data_selector` cannot be {selector!r}, as a page of one row would be the "
            f'values of that row. Name the list of rows: "{selector[:-3] or "$"}".'
        )
    if entries and _counts_rows(paginator):
        raise ConfigurationError(
            f"{where}: with `entries` no offset can be counted, as the API may count keys or what "
            "is in them. Set `paginator` of the entry to 'single_page', and select all rows in "
            "one request by the API's parameter for that."
        )
    return rows if rows != RowsConfig() else None


def _counts_rows(paginator: Any) -> bool:
    kind = paginator.get("type") if isinstance(paginator, dict) else paginator
    return kind == "offset" or isinstance(kind, OffsetPaginator)


def _entries(where: str, given: Any) -> Entries:
    where = f"`entries` in {where}"
    refuse_unknown_keys(where, given, PARTS_OF_ENTRIES)
    keys, value = given.get("key"), given.get("value")
    keys = [keys] if isinstance(keys, str) else keys
    if not (isinstance(keys, list | tuple) and keys and all(map(_is_name, keys))):
        raise ConfigurationError(
            f"{where}: `key` cannot be {given.get('key')!r}: give the name of the column for the "
            'keys, such as "date", or a list of them for objects in objects.'
        )
    if value is not None and not _is_name(value):
        raise ConfigurationError(
            f"{where}: `value` cannot be {value!r}: give the name of the column for the values, "
            'such as "visits".'
        )
    return Entries(tuple(keys), value)


def _zips(where: str, given: Any) -> tuple[Zip, ...]:
    where = f"`zip` in {where}"
    given = [given] if isinstance(given, dict) else given
    if not isinstance(given, list | tuple):
        raise ConfigurationError(
            f'{where} cannot be {given!r}: give a list such as [{{"names": "columns", '
            '"values": "$"}].'
        )
    zips = []
    for each in given:
        refuse_unknown_keys(where, each, PARTS_OF_ZIP)
        for part in ("names", "values"):
            if not each.get(part):
                raise ConfigurationError(f"{where} has no `{part}`; add it.")
        names, types = each["names"], each.get("types")
        for part, value in (("names", names), ("types", types)):
            if value is not None and not isinstance(value, str) and not _are_names(value):
                raise ConfigurationError(
                    f"{where}: `{part}` cannot be {value!r}: give a path in the body, such as "
                    '"columns", or a list of texts.'
                )
        if not isinstance(each["values"], str):
            raise ConfigurationError(
                f"{where}: `values` cannot be {each['values']!r}: give a path in a row, such as "
                '"values", or "$" for a row that is a list itself.'
            )
        for part, path in each.items():
            if isinstance(path, str) and (reason := unreadable_path(path)):
                raise ConfigurationError(
                    f"{where}: `{part}` cannot be {path!r}, which is no JSONPath such as "
                    f"'headers[*].name': {reason}."
                )
        both = isinstance(names, list | tuple) and isinstance(types, list | tuple)
        if both and len(names) != len(types):
            raise ConfigurationError(
                f"{where} has {len(names)} `names` and {len(types)} `types`; give as many of one "
                "as of the other."
            )
        zips.append(Zip(_frozen(names), each["values"], _frozen(types)))
    return tuple(zips)


def _origin(where: str, given: Any) -> Origin:
    if isinstance(given, ConfigValueSentinel) and given.default_literal != "dlt.config.value":
        raise ConfigurationError(
            f"{where} is a secret, which would be a column of the table; use `dlt.config.value` "
            "for a setting that is none, or take it out."
        )
    if isinstance(given, dict):
        kinds = [kind for kind in ORIGINS if kind in given]
        if len(given) != 1 or not kinds:
            raise ConfigurationError(
                f'{where} cannot be {given!r}: give {{"param": "<place in the request>"}}, '
                '{"path": <number of a segment>}, {"body": "<path in the body>"}, or a constant.'
            )
        [kind] = kinds
        value = given[kind]
        (_check_segment if kind == "path" else _check_text)(where, kind, value)
        if kind == "param":
            _check_place(where, value)
        if kind == "param" and is_secret(last_name(value), SAMPLE):
            raise ConfigurationError(
                f"{where} is the parameter `{value}`, which has the name of a secret; a secret "
                "would be a column of the table. Take it out."
            )
        if kind == "body" and (reason := unreadable_path(value)):
            raise ConfigurationError(
                f"{where}: {value!r} is no JSONPath such as 'metadata.currency': {reason}."
            )
        return Origin(kind, value)
    if isinstance(given, list | tuple | set) and not isinstance(given, ConfigValueSentinel):
        raise ConfigurationError(
            f"{where} cannot be {given!r}: a constant is a text, a number, True or False."
        )
    return Origin("constant", given)


def _check_text(where: str, kind: str, value: Any) -> None:
    if not _is_name(value):
        raise ConfigurationError(f"{where}: `{kind}` cannot be {value!r}: give a text.")


def _check_place(where: str, value: str) -> None:
    try:
        Place.of(value)
    except PlaceError as error:
        raise ConfigurationError(f"{where}: `param` cannot be {value!r}: {error}.") from None


def _check_segment(where: str, kind: str, value: Any) -> None:
    if type(value) is not int or value == 0:
        raise ConfigurationError(
            f"{where}: `{kind}` cannot be {value!r}: give the number of a segment of the entry's "
            "path: 1 is the first, 2 the second, -1 the last."
        )


def last_name(place: str) -> str:
    """Return the last name of a place in a request: of `json.a.b[0]` it is `b`."""
    return place.split(".")[-1].partition("[")[0]


def _refuse_same_names(where: str, rows: RowsConfig) -> None:
    names = list(rows.fields)
    if rows.entries:
        names += [*rows.entries.keys, *([rows.entries.value] if rows.entries.value else [])]
    for each in rows.zips:
        names += each.names if isinstance(each.names, tuple) else ()
    for name in names:
        if names.count(name) > 1:
            raise ConfigurationError(
                f"{where}: two fields have the name `{name}`; give one of them another."
            )


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and bool(name.strip())


def _are_names(names: Any) -> bool:
    return isinstance(names, list | tuple) and bool(names) and all(map(_is_name, names))


def _frozen(given: Any) -> Any:
    return given if given is None or isinstance(given, str) else tuple(given)
