"""The place of the rows in a page: an entry's `data_selector`, or the place that dlt detects."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any

from dlt.common import jsonpath
from dlt.common.jsonpath import TJsonPath

from analytics_assets.contract.compat import is_record_key
from analytics_assets.extract.compat import detected_rows
from analytics_assets.extract.http.errors import BodyError
from analytics_assets.extract.rows.response_body import (
    ERRORS,
    STATUS,
    SUCCESS,
    json_kind,
    plain_name,
    reported_failure,
    values_at,
)

# fields beside an error; a body without any other is no row
FIELDS_OF_ERRORS = frozenset((*ERRORS, *SUCCESS, *STATUS)) | {
    *("message", "msg", "detail", "details", "description", "reason", "hint", "title", "type"),
    *("errordescription", "instance", "timestamp", "path", "requestid", "traceid"),
    *("documentationurl", "moreinfo"),
}
ABSENCE_HINT = (
    ' If such an answer means that there are no rows, write `"empty": "absent"` in the policy of '
    "the resource."
)


class Absence(Enum):
    """The kind of nothing in the place of the rows."""

    MISSING = "missing"
    NULL = "null"


class AbsentRowsError(BodyError):
    """The body has nothing in the place of its rows.

    Args:
        text: the message.
        body: the decoded body.
        absence: the kind of nothing there.
        response: the response, if the error is raised for one.
    """

    def __init__(self, text: str, body: Any, absence: Absence, response: Any = None) -> None:
        super().__init__(text, response=response)
        self.body, self.absence = body, absence


@dataclass(frozen=True)
class DataSelector:
    """The `data_selector` of an entry: the place of the rows in a page.

    Args:
        selector: the entry's `data_selector`; None if dlt detects the place.
        accepts_object: True if a single object counts as a list of one, as for an endpoint
            without pagination.
        key: the fields that identify a row; a body that has them is a row and no error.
    """

    selector: TJsonPath | None
    accepts_object: bool = False
    key: tuple[str, ...] = ()

    def failure(self, body: Any) -> str | None:
        """Return the failure that a body reports; None if it reports none."""
        failure = reported_failure(body)
        if failure is None or not self._is_row(body):
            return failure
        if self.key:
            return None if self.has_key(body) else failure
        has_more_fields = any(plain_name(name) not in FIELDS_OF_ERRORS for name in body)
        return None if self._is_the_body and has_more_fields else failure

    def has_key(self, body: Mapping[str, Any]) -> bool:
        """Return True if a body has the fields that identify a row, or none are known."""
        return all(body.get(field) is not None for field in self.key)

    def misplacement(self, body: Any) -> str | None:
        """Return what a body has in the place of its rows; None if they are there."""
        place, found = self._found(body)
        if found is Absence.MISSING:
            return f"no {place} in its body"
        is_row = self.accepts_object and isinstance(found, Mapping)
        if isinstance(found, list) or is_row or (self._is_the_body and found is not None):
            return None
        return f"{place} being {json_kind(found)} and no list"

    def absence(self, body: Any) -> Absence | None:
        """Return the kind of nothing in the place of the rows; None if there is something.

        A body with a list of rows elsewhere has its rows there.
        """
        if body is None:
            return Absence.NULL
        if not isinstance(body, Mapping) or self._has_rows_elsewhere(body):
            return None
        _, found = self._found(body)
        if found is None:
            return Absence.NULL
        is_misplaced = self.selector is None and self.misplacement(body)
        return Absence.MISSING if found is Absence.MISSING or is_misplaced else None

    def _found(self, body: Any) -> tuple[str, Any]:
        """Return the place of the rows, for errors, and what is there; `MISSING` if nothing is."""
        if self._is_the_body or self.selector is None:
            is_detected = self.selector is None and isinstance(body, Mapping)
            return "its body", detected_rows(body)[1] if is_detected else body
        body = dict(body) if isinstance(body, Mapping) else body
        found = values_at(self._path, body)
        if len(found) > 1 or (found and self._finds_rows):
            return f"`{self.selector}`", found  # a selector such as `items[*]` finds the rows
        place = self._around if self._finds_rows else str(self.selector)
        if self._finds_rows:
            found = values_at(place, body) if place else [body]
        return f"`{place}`", found[0] if found else Absence.MISSING

    @staticmethod
    def _has_rows_elsewhere(body: Mapping[str, Any]) -> bool:
        return any(
            isinstance(value, list) and any(isinstance(row, Mapping) for row in value)
            for name, value in body.items()
            if is_record_key(name)
        )

    def _is_row(self, body: Any) -> bool:
        """Return True if the body itself may be a row."""
        if not self.accepts_object or not isinstance(body, Mapping):
            return False
        return self._is_the_body or (self.selector is None and detected_rows(body)[1] is body)

    @property
    def is_filter(self) -> bool:
        """True if the selector filters a list."""
        return "?" in self._unquoted

    @property
    def _is_the_body(self) -> bool:
        """True if the body itself is a row or a list of rows, whatever is in it."""
        return self.accepts_object and str(self.selector) == "$"

    @property
    def path(self) -> TJsonPath | None:
        """The compiled selector; None if dlt detects the place."""
        return None if self.selector is None else self._path

    @cached_property
    def _path(self) -> TJsonPath:
        """The selector, compiled once for all pages."""
        return jsonpath.compile_path(str(self.selector))

    @cached_property
    def _finds_rows(self) -> bool:
        """True if the selector finds rows, rather than a list of them."""
        return any(sign in self._unquoted for sign in ("*", "?", "|", ":"))

    @property
    def _around(self) -> str:
        """The path of the list of rows, for a selector that finds rows."""
        return re.split(r"\[(?:\*|\?)", str(self.selector))[0].rstrip(".")

    @cached_property
    def _unquoted(self) -> str:
        """The selector without names in quotation marks."""
        return re.sub(r"'[^']*'|\"[^\"]*\"", "", str(self.selector))


class DetectedSelector:
    """The place that dlt has detected in the first page of a resource.

    Args:
        resource: the resource, for errors.
    """

    def __init__(self, resource: str) -> None:
        self._resource = resource
        self._place: Sequence[str] | None = None
        self._is_list = False  # the body of the first page is one

    def absence(self, body: Any, received: int) -> AbsentRowsError | None:
        """Compare the place of the rows with that of the first page.

        Args:
            body: the page.
            received: the number of rows on the pages before it.

        Returns:
            The error if there is nothing in the place; None if there is a list.

        Raises:
            BodyError: there is something else, or an object where lists came before.
        """
        if not isinstance(body, Mapping):
            self._is_list |= self._place is None and isinstance(body, list)
            return None
        if self._is_list:
            raise BodyError(
                f"{self._resource}: the page at offset {received} is an object, and the pages "
                "before it were lists of rows. If it has rows, name their place as `data_selector`."
            )
        if self._place is None:
            self._place = detected_rows(body)[0]
            return None
        if _is_list(body, self._place) or (self._is_body and not self.is_elsewhere(body)):
            return None
        place = ".".join(self._place)
        text = (
            f"{self._resource}: the page at offset {received} has no list at `{place}`, where the "
            "first page had its rows. Name the place as `data_selector`."
        )
        absence = None if self._is_body else DataSelector(place).absence(body)
        if absence is None:
            raise BodyError(text)
        return AbsentRowsError(text + ABSENCE_HINT, body, absence)

    @property
    def _is_body(self) -> bool:
        return self._place == ("$",)

    def is_elsewhere(self, body: Any) -> bool:
        """Return True if dlt would find rows in a body, rather than take it for a row."""
        return isinstance(body, Mapping) and detected_rows(body)[1] is not body


def _is_list(body: Any, place: Sequence[str]) -> bool:
    for name in place:
        body = body.get(name) if isinstance(body, Mapping) else None
    return isinstance(body, list) or not place  # a single object has no list anywhere
