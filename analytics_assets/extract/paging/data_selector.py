"""The place of a page's rows, where dlt detects it for want of a `data_selector`."""

from collections.abc import Mapping, Sequence
from typing import Any

from analytics_assets.extract.compat import detected_rows
from analytics_assets.extract.http.errors import BodyError


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
            received: how many rows were on the pages before it.

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
