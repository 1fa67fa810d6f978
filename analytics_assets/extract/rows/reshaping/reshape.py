"""The rows of a page as `rows` of the entry describes them."""

from collections.abc import Mapping, Sequence
from typing import Any

import requests

from analytics_assets.config.entry.rows import RowsConfig
from analytics_assets.contract.compat import is_record_key
from analytics_assets.extract.rows.reshaping.entries import keyed_rows
from analytics_assets.extract.rows.reshaping.errors import RowsError
from analytics_assets.extract.rows.reshaping.sent_values import sent_values
from analytics_assets.extract.rows.reshaping.zip import Stays, ZippedRows, headers
from analytics_assets.extract.rows.response_body import values_at


class Reshape:
    """Makes the rows of each page of one read: entries, then arrays, then further fields.

    Args:
        config: `rows` of the entry.
        sent: the fields of the request and the constants.
        stays: tests if a field's values stay as they are, whatever types the vendor gives.
        exact: True to keep the digits of all numbers, for decimal columns.
    """

    def __init__(
        self,
        config: RowsConfig,
        sent: Mapping[str, Any],
        stays: Stays = lambda _: False,
        exact: bool = False,
    ) -> None:
        self._config, self._sent = config, sent
        self._stays, self._exact = stays, exact
        self._of_body = {
            name: each.value for name, each in config.fields.items() if each.kind == "body"
        }

    @classmethod
    def of(
        cls,
        resource: str,
        config: RowsConfig,
        request: requests.Request,
        path: str,
        stays: Stays,
        exact: bool,
    ) -> "Reshape":
        """Return the one of a read.

        Args:
            resource: the resource, for errors.
            config: `rows` of the entry.
            request: the first request of the read.
            path: the entry's path, with its placeholders.
            stays: as above.
            exact: as above.

        Raises:
            RowsError: the request sends nothing in the place of a field, or a secret.
        """
        try:
            sent = sent_values(config.fields, request, path)
        except RowsError as error:
            raise error.on(resource) from None
        return cls(config, sent, stays, exact)

    def __call__(self, found: Sequence[Any], body: Any) -> list[Any]:
        """Return the rows of a page.

        Args:
            found: what is in the place of the rows.
            body: the body, with headers and envelope.

        Raises:
            RowsError: the page has another form.
        """
        if not found:
            return []
        config = self._config
        added = self._added(body)
        if config.entries:
            keyed = keyed_rows(config.entries, found[0], bool(config.zips))
            zipped = None
            rows = []
            for keys, row in keyed:
                if config.zips:
                    zipped = zipped or self._zipped(body)
                    row = zipped(row)
                rows.append(_joined(row, keys, "entries"))
        elif config.zips:
            rows = list(map(self._zipped(body), found))
        else:
            rows = list(found)
        are_new = config.makes_rows
        return [_joined(row, added, "fields", are_new) for row in rows] if added else rows

    def has_headers(self, body: Any) -> bool:
        """Return True if a body has the headers of rows, so that nothing in their place means none.

        Google's JSON leaves empty lists out. A body with a list of another name may have its rows
        there.
        """
        if not isinstance(body, Mapping):
            return False
        paths = [each.names for each in self._config.zips if isinstance(each.names, str)]
        roots = {path.removeprefix("$.").partition(".")[0].partition("[")[0] for path in paths}
        is_elsewhere = any(
            name not in roots and is_record_key(name) and isinstance(value, list) and value
            for name, value in body.items()
        )
        return not is_elsewhere and any(headers(path, body) for path in paths)

    def _zipped(self, body: Any) -> ZippedRows:
        return ZippedRows(self._config.zips, body, self._stays, self._exact)

    def _added(self, body: Any) -> dict[str, Any]:
        added = dict(self._sent)
        for name, path in self._of_body.items():
            found = values_at(path, body)
            added[name] = found[0] if len(found) == 1 else (found or None)
        return added


def _joined(row: Any, added: Mapping[str, Any], part: str, is_new: bool = False) -> Any:
    """Return a row with further fields; what is no object stays as it is, and is rejected.

    Args:
        row: the row.
        added: the fields.
        part: the part of `rows` that names them, for an error.
        is_new: True for a row that is no part of the body, and may be changed.

    Raises:
        RowsError: the row has a field of such a name.
    """
    if not isinstance(row, dict):
        return row
    if not added.keys().isdisjoint(row):
        name = min(added.keys() & row.keys())
        raise RowsError(
            f"a row has a field `{name}`, which `{part}` in `rows` of the entry would overwrite; "
            "give it another name there"
        )
    if is_new:
        row.update(added)
        return row
    return {**row, **added}
