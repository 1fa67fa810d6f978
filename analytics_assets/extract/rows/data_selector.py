"""The place of the rows in a page: an entry's `data_selector`, or the place that dlt detects."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from dlt.common import jsonpath
from dlt.common.jsonpath import TJsonPath

from analytics_assets.extract.compat import detected_rows
from analytics_assets.extract.http.errors import BodyError
from analytics_assets.extract.rows.response_body import json_kind, reported_failure


@dataclass(frozen=True)
class DataSelector:
    """The `data_selector` of an entry: the place of the rows in a page.

    Args:
        selector: the entry's `data_selector`; None if dlt detects the place.
        accepts_object: True if a single object counts as a list of one, as for an endpoint
            without pagination.
    """

    selector: TJsonPath | None
    accepts_object: bool = False

    def problem(self, body: Any) -> str | None:
        """Return the reason why a body is no page of rows; None if it is one, even an empty one."""
        return self.failure(body) or self.misplacement(body)

    def failure(self, body: Any) -> str | None:
        """Return the failure that a body reports; None if it reports none."""
        return None if self._is_the_body else reported_failure(body)

    def misplacement(self, body: Any) -> str | None:
        """Return what a body has in the place of its rows; None if they are there."""
        if self._is_the_body:
            return None
        if self.selector is None:
            _, found = detected_rows(body) if isinstance(body, Mapping) else ("", body)
            return self._not_rows("its body", found)
        found = jsonpath.find_values(self._path, body)
        if found:
            # a selector such as `items[*]` finds the rows themselves
            finds_rows = self._finds_rows or len(found) > 1
            return None if finds_rows else self._not_rows(f"`{self.selector}`", found[0])
        if not self._finds_rows:
            return f"no `{self.selector}` in its body"
        around = re.split(r"\[(?:\*|\?)", str(self.selector))[0].rstrip(".")
        whole = jsonpath.find_values(around, body) if around else [body]
        return self._not_rows(f"`{around}`", whole[0]) if whole else f"no `{around}` in its body"

    @property
    def is_filter(self) -> bool:
        """True if the selector filters a list."""
        return "?" in self._unquoted

    @property
    def _is_the_body(self) -> bool:
        """True if the body itself is a row or a list of rows, whatever is in it."""
        return self.accepts_object and str(self.selector) == "$"

    @cached_property
    def _path(self) -> TJsonPath:
        """The selector, compiled once for all pages."""
        return jsonpath.compile_path(str(self.selector))

    @cached_property
    def _finds_rows(self) -> bool:
        """True if the selector finds rows, rather than a list of them."""
        return any(sign in self._unquoted for sign in ("*", "?", "|", ":"))

    @cached_property
    def _unquoted(self) -> str:
        """The selector without names in quotation marks."""
        return re.sub(r"'[^']*'|\"[^\"]*\"", "", str(self.selector))

    def _not_rows(self, place: str, found: Any) -> str | None:
        if isinstance(found, list) or (self.accepts_object and isinstance(found, Mapping)):
            return None
        return f"{place} being {json_kind(found)} and no list"


class DetectedSelector:
    """The place that dlt has detected in the first page of a resource.

    Args:
        resource: the resource, for errors.
    """

    def __init__(self, resource: str) -> None:
        self._resource = resource
        self._place: Sequence[str] | None = None

    def check(self, body: Any, received: int) -> None:
        """Refuse a page whose rows are not where those of the first page are.

        Args:
            body: the page.
            received: the number of rows on the pages before it.

        Raises:
            BodyError: they are not.
        """
        if not isinstance(body, Mapping):
            return
        if self._place is None:
            self._place = detected_rows(body)[0]
        elif not _is_list(body, self._place):
            raise BodyError(
                f"{self._resource}: the page at offset {received} has no list at "
                f"`{'.'.join(self._place)}`, where the first page had its rows. Name the place as "
                "`data_selector`."
            )


def _is_list(body: Any, place: Sequence[str]) -> bool:
    for name in place:
        body = body.get(name) if isinstance(body, Mapping) else None
    return isinstance(body, list) or not place  # a single object has no list anywhere
