"""The entry of a resource, made ready for dlt: with a verifying paginator and response checks."""

from collections.abc import Callable, Mapping
from functools import cached_property, partial
from typing import Any

from dlt.common import jsonpath
from dlt.sources.helpers.rest_client.paginators import BasePaginator, OffsetPaginator

from analytics_assets.config.errors import ConfigurationError
from analytics_assets.config.resource import (
    as_disposition,
    as_endpoint,
    as_entry,
    as_fields,
    may_make_fields,
    merged_entry,
    parents_of,
)
from analytics_assets.contract.column import Hints
from analytics_assets.contract.contract import Contract, hard_delete_column
from analytics_assets.extract.compat import DLT_COLUMNS, NUMBERED_ROWS, configured_paginator
from analytics_assets.extract.http.connection import Connection
from analytics_assets.extract.http.redaction import Redact
from analytics_assets.extract.incremental.cursor import Cursor
from analytics_assets.extract.paging.bulk_read import BulkRead
from analytics_assets.extract.paging.completeness import Proof
from analytics_assets.extract.paging.evidence.end_paths import without_own_options
from analytics_assets.extract.paging.evidence.page import EvidenceFinder
from analytics_assets.extract.paging.page_range import follows_links, is_single_page
from analytics_assets.extract.paging.paginator import VerifyingPaginator
from analytics_assets.extract.paging.row_place import RowPlace
from analytics_assets.extract.paging.verified_read import ReadingSettings
from analytics_assets.extract.parent_values import ParentRows, ParentValues
from analytics_assets.extract.rows.arrow import ArrowRows
from analytics_assets.extract.rows.data_selector import DataSelector
from analytics_assets.extract.rows.hashing import json_hashes
from analytics_assets.extract.rows.page_decoder import PageDecoder
from analytics_assets.extract.rows.response_check import check_response

DELETE_INSERT = {"disposition": "merge", "strategy": "delete-insert"}
DEDUPLICATED: Any = {**DELETE_INSERT, "deduplicated": True}
NOT_PLAIN = ("response_actions", "incremental", "json", "data")
TYPE_DETAILS = frozenset(("precision", "scale", "timezone"))  # hints that refine a type


class Entry:
    """An entry of `resources`, with `resource_defaults` and the client's paginator applied.

    Args:
        given: the entry in the configuration.
        config: the configuration.
        reading: the settings of a complete read.
        connection: prefetches pages; None to request one at a time.
        contract: the contract of its rows; without it, rows need a primary key only.
        cursor: the cursor of the load; None to read all rows, or those that the entry selects.
        allows_absence: True if an answer without anything in the place of its rows has none.
        is_sample: True to believe any end of a read.

    Raises:
        ConfigurationError: dlt refuses the paginator.
    """

    def __init__(
        self,
        given: Mapping[str, Any] | str,
        config: Mapping[str, Any],
        reading: ReadingSettings,
        connection: Connection | None = None,
        contract: Contract | None = None,
        cursor: Cursor | None = None,
        allows_absence: bool = False,
        is_sample: bool = False,
    ) -> None:
        self._connection = connection
        defaults = config.get("resource_defaults") or {}
        self._own = as_entry(given)
        self._all = merged_entry(defaults, self._own)
        self._disposition = as_disposition(self._all.get("write_disposition"))
        self._endpoint = {"path": self.name, **self._all["endpoint"]}
        included = self._all.get("include_from_parent") or ()
        self._parent_values = ParentValues(self.name, self._endpoint, included)
        self._paging = self._endpoint.get("paginator") or config["client"].get("paginator")
        stock = self._stock_paginator()
        key = as_fields(self._all.get("primary_key"))
        self.contract = contract or Contract(
            self.name, primary_key=key, hard_delete=hard_delete_column(self._all["columns"], {})
        )
        self._selector = DataSelector(
            self._endpoint.get("data_selector"),
            accepts_object=self._paging in (None, "auto") or is_single_page(stock),
            key=self._key_in_a_page(),
        )
        self._refuse_selector(stock)
        self.cursor = cursor
        is_allowed = allows_absence or self.contract.rows_may_be_absent
        self._place = RowPlace(self.name, self._selector, is_allowed)
        self._is_sample = is_sample
        self.paginator = self._verifying_paginator(stock, reading)

    @property
    def name(self) -> str:
        """The resource's name."""
        return str(self._own["name"])

    @property
    def last_row_wins(self) -> bool:
        """True if the table has one row per key, and no hint selects it."""
        is_merged = self._disposition.get("disposition") == "merge"
        return is_merged and not self.has_sorted_rows and not self.numbers_rows

    @property
    def numbers_rows(self) -> bool:
        """True if steps of the entry may change keys, so that the merge finds the last rows."""
        is_plain = self._disposition in ({"disposition": "merge"}, DELETE_INSERT)
        is_keyed = bool(self.contract.primary_key) and isinstance(self._all["columns"] or {}, dict)
        return is_plain and is_keyed and may_make_fields(self._all)

    @property
    def has_sorted_rows(self) -> bool:
        """True if a `dedup_sort` selects the row of a key."""
        return "dedup_sort" in str(self._all.get("columns"))

    @property
    def hints(self) -> Hints:
        """The entry's hints of columns, by their names."""
        columns = self._all.get("columns")
        hints = columns if isinstance(columns, dict) else {}
        return {self.contract.name_of(field): hint for field, hint in hints.items()}

    @property
    def has_decimals(self) -> bool:
        """True if a column is a decimal, so that digits matter which a double does not hold."""
        table = self.contract.table
        columns = (self.hints, table.kept, table.undeclared)
        return "decimal" in [hint.get("data_type") for each in columns for hint in each.values()]

    @property
    def as_arrow(self) -> bool:
        """True if dlt can load the rows as Arrow tables, and no hint is a function of a row."""
        columns = self._all.get("columns") or {}
        return (
            ArrowRows(self.contract).possible
            and self.contract.table.is_as_declared([each.name for each in self.contract.columns])
            and self._disposition.get("strategy") in (None, "delete-insert")
            and not any(map(callable, self._all.values()))
            and isinstance(columns, dict)
            and not any(TYPE_DETAILS & hint.keys() for hint in columns.values())
        )

    @property
    def can_read_in_bulk(self) -> bool:
        """True if pages can be read by `BulkRead`."""
        endpoint = self._endpoint
        return (
            self._connection is not None
            and self.as_arrow
            and PageDecoder.can_decode(self.contract, endpoint.get("data_selector"))
            and str(endpoint.get("method") or "get").lower() == "get"
            and not any(endpoint.get(part) for part in NOT_PLAIN)
            and (self.cursor is None or self.cursor.is_a_column)
            and "://" not in str(endpoint["path"])
            and not (self._all.get("parallelized") or self._all.get("processing_steps"))
            and not parents_of(self._own)
        )

    def bulk_read(self) -> BulkRead | None:
        """Return a bulk read of the pages between the first and the last; None if impossible."""
        connection = self._connection if self.can_read_in_bulk else None
        prefetcher = connection.curl_prefetcher() if connection else None
        if prefetcher is None or connection is None:
            return None
        return BulkRead(self._decoder, self._selector, prefetcher, connection.read_concurrency())

    @cached_property
    def _decoder(self) -> PageDecoder:
        return PageDecoder(self.contract, str(self._endpoint["data_selector"]))

    def parent_rows(self) -> ParentRows | None:
        """Return the step that makes the parent's rows fit for requests; None without a parent."""
        return ParentRows(self._parent_values) if parents_of(self._endpoint) else None

    def for_dlt(self, redact: Redact) -> dict[str, Any]:
        """Return the entry for dlt.

        Args:
            redact: removes secrets from a text.
        """
        selector = self._endpoint.get("data_selector")
        check = partial(
            check_response,
            redact=redact,
            where=self.name,
            selector=self._selector,
            exact=self.has_decimals,
        )
        own = self._parent_values.in_endpoint(as_endpoint(self._own.get("endpoint")))
        endpoint = {
            **(self.cursor.in_endpoint(own) if self.cursor else own),
            "paginator": self.paginator,
            # after the user's own actions, which may ignore a status or correct a body
            "response_actions": [*(self._endpoint.get("response_actions") or ()), check],
        }
        if isinstance(selector, str):
            # dlt 1.31 compiles a text again for each page
            endpoint["data_selector"] = jsonpath.compile_path(selector)
        disposition = {"write_disposition": DEDUPLICATED} if self._is_deduplicated() else {}
        return {**self._own, "endpoint": endpoint, **self._hints(), **disposition}

    def _is_deduplicated(self) -> bool:
        """Return True if each key occurs once, so that dlt need not deduplicate the rows."""
        is_plain_merge = self._disposition == {"disposition": "merge"}
        return is_plain_merge and self.can_read_in_bulk and self.last_row_wins

    def _key_in_a_page(self) -> tuple[str, ...]:
        """Return the key as far as the API sends it; dlt adds what `include_from_parent` names."""
        added = tuple(f"_{parent}_" for parent in parents_of(self._own))
        return tuple(part for part in self.contract.primary_key if not part.startswith(added))

    def _hints(self) -> dict[str, Any]:
        """Return the types and names of columns by the entry, else by the contract."""
        hints: dict[str, Any] = {}
        if isinstance(self._all["columns"] or {}, dict):
            columns: dict[str, Any] = {**self.contract.hints()}
            for name, hint in self.hints.items():
                columns[name] = {**columns.get(name, {}), **hint}
            columns = self.contract.table.hints(columns)
            added = NUMBERED_ROWS if self.numbers_rows and not self.has_sorted_rows else {}
            hints["columns"] = {**columns, **(DLT_COLUMNS if self.as_arrow else {}), **added}
        for kind in ("primary_key", "merge_key"):
            fields = as_fields(self._all.get(kind))
            if fields and self.contract.rename:
                hints[kind] = [self.contract.name_of(field) for field in fields]
        return hints

    def _may_prefetch(self) -> bool:
        """Return True if no `response_actions` of the user see responses one by one, in order."""
        actions = self._endpoint.get("response_actions") or ()
        own = [each.get("action") if isinstance(each, dict) else each for each in actions]
        return not self._all.get("parallelized") and not any(callable(action) for action in own)

    def _refuse_selector(self, paginator: BasePaginator | None) -> None:
        """Refuse a `data_selector` by whose rows the paginator cannot count."""
        selector = str(self._selector.selector or "")
        if isinstance(paginator, OffsetPaginator) and selector.count("[*]") > 1:
            raise ConfigurationError(
                f"resource `{self.name}`: `data_selector` finds rows within rows, so that an "
                "offset cannot be counted by them. Select the outer rows; dlt makes a child table "
                "of the inner ones."
            )
        if self._selector.is_filter and not follows_links(paginator):
            raise ConfigurationError(
                f"resource `{self.name}`: `data_selector` leaves rows out, so that those it finds "
                "do not show where the next page begins or whether it is the last. Select the "
                'whole list, and leave rows out by `"processing_steps": [{"filter": ...}]`; or '
                "set `paginator` to 'single_page' if there is only one page."
            )

    def _verifying_paginator(
        self, paginator: BasePaginator | None, reading: ReadingSettings
    ) -> VerifyingPaginator:
        # one object by its path, whose fields are its own
        is_object = is_single_page(paginator) and not self._paging
        is_read_once = is_single_page(paginator) and (is_object or self._is_sample)
        evidence = EvidenceFinder.of(
            self._paging, paginator, str(self._selector.selector or ""), counted=not is_read_once
        )
        connection = self._connection if self._may_prefetch() else None
        # the pages of a `parallelized` child are loaded as they arrive: there is no second pass
        passes = 1 if self._all.get("parallelized") else reading.passes
        return VerifyingPaginator(
            paginator,
            Proof(
                self.name,
                self._key_in_a_page(),
                passes,
                reading.confirm and passes > 1,
                _as_function(self._decoder.hashes_of) if self.can_read_in_bulk else json_hashes,
            ),
            evidence,
            self._place,
            # a filter leaves out rows that the API counts
            checked=not (is_object or self._is_sample or self._selector.is_filter),
            prefetch=_as_function(connection.thread_prefetcher) if connection else None,
        )

    def _stock_paginator(self) -> BasePaginator | None:
        paging = without_own_options(self._paging, f"resource `{self.name}`")
        try:
            return configured_paginator(paging, self._endpoint["path"])
        except (ValueError, TypeError) as error:
            raise ConfigurationError(
                f"dlt refuses the entry of `{self.name}`: paginator: {error}"
            ) from error


def _as_function(method: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a method, as dlt deep-copies configurations and all objects but functions."""
    return lambda *args: method(*args)
