"""The place of the rows in the pages of a resource, and bodies that have no rows there."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from analytics_assets.config.text.json_kind import json_kind
from analytics_assets.config.validation.selector import without_names
from analytics_assets.contract.compat import is_record_key
from analytics_assets.extract.compat import detected_rows
from analytics_assets.extract.rows.response_body import (
    ERRORS,
    STATUS,
    SUCCESS,
    json_path,
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
BODY = "$"


class Misplacement(NamedTuple):
    """Something in the place of the rows that is none.

    Args:
        text: names it, for an error.
        is_absent: True if nothing is there, and no rows are elsewhere.
        is_null: True if it is null, rather than missing.
    """

    text: str
    is_absent: bool = False
    is_null: bool = False


class RowPlace:
    """The place of the rows in the pages of a resource.

    It is the entry's `data_selector`, or else the one that dlt detects in the first page with rows.

    Args:
        selector: the entry's `data_selector`.
        accepts_object: True if a single object counts as a list of one, as for an endpoint
            without pagination.
        key: the fields that identify a row; a body that has them is a row and no error.
        is_known: True if it is known to be right, so that nothing there means no rows: by the
            contract or the configuration.
        is_keyed: True if an object is there whose keys are data, or the empty list that PHP makes
            of one without fields.

    Attributes:
        path: the JSON path of the rows; "" until dlt has detected it.
        is_known: as above, or by an earlier page.
    """

    def __init__(
        self,
        selector: Any = None,
        accepts_object: bool = False,
        key: tuple[str, ...] = (),
        is_known: bool = False,
        is_keyed: bool = False,
    ) -> None:
        self.is_keyed = is_keyed
        self.path = str(selector or "")
        self.is_known = is_known
        self._is_detected = not self.path
        self._accepts_object = accepts_object and not is_keyed
        self._key = key

    def detect(self, body: Any) -> None:
        """Keep the place of the rows in the first page with rows, unless the entry names it."""
        if not self.path:
            names, rows = detected_rows(body)
            self._accepts_object &= rows is body and not isinstance(body, list)
            self.path = BODY if rows is body else json_path(names)

    def rows(self, body: Any) -> list[Any]:
        """Return the rows of a body, as dlt's client does."""
        if self._is_detected and isinstance(body, list):
            return body
        found: Any = values_at(self.path, body)
        found = found[0] if len(found) == 1 else found
        if self.is_keyed:
            return [found] if isinstance(found, Mapping) else []
        if found is None:
            return []
        return found if isinstance(found, list) else [found]

    def failure(self, body: Any) -> str | None:
        """Return the failure that a body reports; None if it reports none."""
        failure = reported_failure(body)
        if failure is None or not self._is_row(body):
            return failure
        if self._key:
            return None if self.has_key(body) else failure
        has_more_fields = any(plain_name(name) not in FIELDS_OF_ERRORS for name in body)
        return None if self._is_any_body and has_more_fields else failure

    def has_key(self, body: Mapping[str, Any]) -> bool:
        """Return True if a body has the fields that identify a row, or none are known."""
        return all(body.get(field) is not None for field in self._key)

    def misplacement(self, body: Any) -> Misplacement | None:
        """Return what a body has in the place of its rows; None if they are there."""
        if self._is_detected and isinstance(body, list):  # PHP encodes an empty object as a list
            return None
        unlike = ", unlike the first page" if self._is_detected and self.path else ""
        if unlike and self._accepts_object and self._has_detected_rows(body):
            return Misplacement(f"a list of rows in its body{unlike}")
        place, found = self._list_in(body)
        if self.is_keyed and found and (isinstance(found[0], Mapping) or found[0] == []):
            return None
        rows = () if self.is_keyed else (list, Mapping) if self._accepts_object else (list,)
        if (found and isinstance(found[0], rows)) or (self._is_any_body and body is not None):
            return None
        kind = f"{place} being {self._kind(found[0])}" if found else ""
        text = (kind or f"no {place} in its body") + unlike
        is_null = body is None or (bool(found) and found[0] is None)
        is_elsewhere = not isinstance(body, Mapping) or _has_rows(body)
        is_nothing = not found or is_null or not self.path
        return Misplacement(text, body is None or (is_nothing and not is_elsewhere), is_null)

    def _kind(self, found: Any) -> str:
        if self.is_keyed:
            kind = "a list with elements" if isinstance(found, list) else json_kind(found)
            return f"{kind} and no object, whose keys `entries` are"
        return f"{json_kind(found)} and no list"

    def _list_in(self, body: Any) -> tuple[str, list[Any]]:
        """Return the place of the list of rows, for errors, and what is there."""
        if self.path in ("", BODY):
            is_unknown = not self.path and isinstance(body, Mapping)
            return "its body", [detected_rows(body)[1] if is_unknown else body]
        found = values_at(self.path, body)
        if not self._finds_rows and len(found) < 2:
            return f"`{self.path}`", found
        if found:
            return f"`{self.path}`", [found]
        around = re.split(r"\[(?:\*|\?)", self.path)[0].rstrip(".")
        return f"`{around}`", values_at(around, body) if around else [body]

    def _is_row(self, body: Any) -> bool:
        """Return True if the body itself may be a row."""
        if not self._accepts_object or not isinstance(body, Mapping):
            return False
        return self._is_any_body or (self._is_detected and not self._has_detected_rows(body))

    @staticmethod
    def _has_detected_rows(body: Any) -> bool:
        return isinstance(body, Mapping) and detected_rows(body)[1] is not body

    @property
    def _is_any_body(self) -> bool:
        """True if the body itself is a row or a list of rows, whatever is in it."""
        return self._accepts_object and self.path == BODY and not self._is_detected

    @property
    def _finds_rows(self) -> bool:
        """True if the selector finds rows, rather than a list of them."""
        return re.search(r"[*?|:]", without_names(self.path)) is not None


def _has_rows(body: Mapping[str, Any]) -> bool:
    """Return True if a body has a list of rows by dlt's names for such."""
    return any(
        isinstance(value, list) and any(isinstance(row, Mapping) for row in value)
        for name, value in body.items()
        if is_record_key(name)
    )
