"""Values of parent rows in the requests of a resource that is read from them.

dlt 1.31 puts a value into a path as it is: null asks for `None`, `a/b` and `x#1` for something
else. So the entry that dlt gets refers to fields that `ParentRows` adds to each parent row: its
values in the form that their place in the request needs.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import quote

from analytics_assets.config.errors import AnalyticsAssetsError, listed
from analytics_assets.config.resource import parents_of
from analytics_assets.extract.rows.response_body import value_at, values_at

PLACEHOLDER = re.compile(r"(?<!\{)\{resources\.([^.{}!:]+)\.([^{}!:]+)((?:![rsa])?(?::[^{}]*)?)\}")
LINK = re.compile(r"https?://|/")
UNFIT_FOR_HEADERS = re.compile(r"[^\t\x20-\x7e\x80-\xff]")  # RFC 9110 section 5.5


class ParentValueError(AnalyticsAssetsError):
    """A parent row has no value that the request for its children can carry."""


def as_text(value: Any) -> Any:
    """Return a value for a query, a form or a text in a body, which are encoded later.

    Raises:
        ValueError: it is an object or a list, or no valid Unicode.
    """
    if isinstance(value, dict | list):
        raise ValueError(f"is {'an object' if isinstance(value, dict) else 'a list'}")
    if isinstance(value, bool):
        return str(value).lower()
    try:
        str(value).encode()
    except UnicodeEncodeError:
        raise ValueError("is no valid Unicode") from None
    return value


def as_segment(value: Any) -> str:
    """Encode a value as one segment of a path (RFC 3986 section 3.3).

    Raises:
        ValueError: as `as_text`.

    Example:
        >>> as_segment("a/b"), as_segment("..")
        ('a%2Fb', '%2E%2E')
    """
    segment = quote(str(as_text(value)), safe="")
    return segment if segment.strip(".") else segment.replace(".", "%2E")


def as_path(value: Any) -> str:
    """Return a link as it is, and encode any other value as one segment.

    Raises:
        ValueError: as `as_text`.
    """
    return value if isinstance(value, str) and LINK.match(value) else as_segment(value)


def as_header(value: Any) -> Any:
    """Return a value for a header.

    Raises:
        ValueError: as `as_text`, or it has a character that no header can have.
    """
    text = str(as_text(value))
    if UNFIT_FOR_HEADERS.search(text) or text != text.strip():
        raise ValueError(
            "has a line break, a space at an end or another character that no header can have"
        )
    return as_text(value)


def as_json(value: Any) -> Any:
    """Return a value that becomes a value of a JSON body, with its type."""
    if isinstance(value, Decimal):  # which requests does not encode
        return int(value) if value == value.to_integral_value() else float(value)
    return value


Form = Callable[[Any], Any]
# of the parts of an endpoint that may have placeholders
FORMS: Mapping[str, Form] = {
    "path": as_segment,
    "params": as_text,
    "data": as_text,
    "headers": as_header,
    "json": as_text,
}


class Reference(NamedTuple):
    """A field of parent rows that a request refers to.

    Args:
        parent: the parent resource.
        field: the path of the field in its rows.
        form: returns the value as its place in the request needs it.
    """

    parent: str
    field: str
    form: Form


class ParentValues:
    """The fields of parent rows to which the requests of a resource refer.

    Args:
        resource: the resource.
        endpoint: its endpoint, `resource_defaults` included.
        included: the fields of the parent that its rows get (`include_from_parent`).
    """

    def __init__(
        self, resource: str, endpoint: Mapping[str, Any], included: Sequence[str] = ()
    ) -> None:
        self._resource = resource
        self._included = tuple(included)
        self._names: dict[Reference, str] = {}
        self._parts = {
            part: self._rewritten(endpoint[part], form, part == "json")
            for part, form in FORMS.items()
            if parents_of(endpoint.get(part))
        }

    def in_endpoint(self, endpoint: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return an entry's endpoint with references to the added fields."""
        return {**endpoint, **self._parts}

    def added_to(self, row: Any) -> dict[str, Any]:
        """Return a parent row with the added fields.

        Args:
            row: a row for which `without_value` is None.

        Raises:
            ParentValueError: a value does not fit its place in the request.
        """
        return {**row, **{name: self._value(row, each) for each, name in self._names.items()}}

    def included_from(self, row: Any) -> dict[str, Any]:
        """Return the fields that the children of a parent row get of it, by dlt's names."""
        if not self._included:
            return {}
        parent = next(iter(self._names)).parent
        return {f"_{parent}_{field}": row[field] for field in self._included}

    def without_value(self, row: Any) -> str | None:
        """Return the first field that is null or empty in a parent row; None if there is none.

        Args:
            row: the row.

        Returns:
            The field as `parent.field`.

        Raises:
            ParentValueError: the row has no such field.
        """
        for parent, field, _ in self._names:
            found = values_at(field, row)
            if not found:
                raise self._missing(parent, field, row)
            if found[0] is None or found[0] == "":
                return f"{parent}.{field}"
        for field in self._included:
            if field not in row:
                raise self._missing(next(iter(self._names)).parent, field, row)
        return None

    def _value(self, row: Any, reference: Reference) -> Any:
        parent, field, form = reference
        try:
            return form(value_at(field, row))
        except ValueError as error:
            raise ParentValueError(
                f"{self._resource}: `{field}` of a row of `{parent}` cannot be sent in the request "
                f"for its children: the value {error}. Refer to a field with a text or a number."
            ) from None

    def _missing(self, parent: str, field: str, row: Any) -> ParentValueError:
        fields = listed(list(row)) if isinstance(row, dict) else "none"
        return ParentValueError(
            f"{self._resource}: a row of `{parent}` has no field `{field}`, to which the entry of "
            f"`{self._resource}` refers. Its fields are {fields}. Correct the name; if the API "
            "leaves the field out of some rows, set it to None there by a `map` in "
            f"`processing_steps` of `{parent}`: for such a row, nothing is requested."
        )

    def _rewritten(self, value: Any, form: Form, is_json: bool) -> Any:
        """Return a part of the endpoint that refers to the added fields."""
        if isinstance(value, str):
            whole = PLACEHOLDER.fullmatch(value.strip() if form is as_segment else value)
            if whole and form is as_segment:
                form = as_path
            elif whole and is_json and not whole[3]:
                form = as_json
            return PLACEHOLDER.sub(partial(self._placeholder, form), value)
        if isinstance(value, list | tuple):
            return [self._rewritten(each, form, is_json) for each in value]
        if not isinstance(value, dict):
            return value
        if value.get("type") == "resolve":  # dlt puts it into the path
            return {**value, "field": self._name(value["resource"], value["field"], as_segment)}
        return {
            self._rewritten(key, form, is_json): self._rewritten(each, form, is_json)
            for key, each in value.items()
        }

    def _placeholder(self, form: Form, found: "re.Match[str]") -> str:
        parent, field, format_spec = found.groups()
        return f"{{resources.{parent}.{self._name(parent, field, form)}{format_spec}}}"

    def _name(self, parent: str, field: str, form: Form) -> str:
        """Return the name of the added field."""
        reference = Reference(parent, field, form)
        return self._names.setdefault(reference, f"requested_{len(self._names) + 1}")
