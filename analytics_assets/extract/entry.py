"""The entry of a resource: dlt's part of it, and all that its read depends on."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import requests
from dlt.extract import DltResource
from dlt.sources.helpers.rest_client.paginators import SinglePagePaginator

from analytics_assets.config.entry.answer_quality import QualityPlaces
from analytics_assets.config.entry.rows import rows_config
from analytics_assets.config.errors import ConfigurationError
from analytics_assets.config.resource import (
    as_disposition,
    as_entry,
    as_fields,
    may_make_fields,
    merged_entry,
    parents_of,
)
from analytics_assets.config.validation.selector import is_filter, wrong_selector
from analytics_assets.config.validation.values import JSON_LINES
from analytics_assets.contract.column import Hints
from analytics_assets.contract.contract import Contract, hard_delete_column
from analytics_assets.extract.children.parent_values import ParentValues
from analytics_assets.extract.compat import DLT_COLUMNS, NUMBERED_ROWS
from analytics_assets.extract.incremental.cursor import Cursor
from analytics_assets.extract.paging.evidence.finder import EvidenceFinder
from analytics_assets.extract.paging.first_request import FirstRequest
from analytics_assets.extract.paging.page_params import PageParams
from analytics_assets.extract.paging.window_parts import WindowParts
from analytics_assets.extract.rows.answer import AnswerDecoder
from analytics_assets.extract.rows.page_decoder import KEY_TYPES, PageDecoder
from analytics_assets.extract.rows.reshaping.processing_steps import ProcessingSteps
from analytics_assets.extract.rows.reshaping.reshape import Reshape
from analytics_assets.extract.rows.row_place import RowPlace

DELETE_INSERT = {"disposition": "merge", "strategy": "delete-insert"}
DEDUPLICATED: Any = {**DELETE_INSERT, "deduplicated": True}
# the metrics of rows with the key of another row: unexpected ones, those of a `dedup_sort`, and
# those whose key the entry's steps may change
ROWS_REPEATED, ROWS_SUPERSEDED = "rows_repeated", "rows_superseded"
ROWS_ALIKE_BEFORE_STEPS = "rows_alike_before_steps"


class Entry:
    """An entry of `resources`, with `resource_defaults` and the client's paginator applied.

    Args:
        given: the entry in the configuration.
        config: the configuration.
        contract: the contract of its rows; without it, rows need a primary key only.
        cursor: the cursor of the load; None to read all rows, or those that the entry selects.
        allows_absence: True if an answer without anything in the place of its rows has none.
        is_sample: True to believe any end of a read.
        window: the window of a request that may be read in parts; None if there is none.

    Attributes:
        paginator: the one that dlt makes of it; None if dlt detects it in the first page.
        page_params: the parameters that it writes, and their places.
        evidence: finds what a page states about the end of a read.
        parent_values: the fields of parent rows to which its requests refer.
        place: the place of the rows in a page.
        is_checked: False to believe an end whatever the pages say.

    Raises:
        ConfigurationError: dlt refuses the paginator, or it cannot count rows by the selector.
    """

    def __init__(
        self,
        given: Mapping[str, Any] | str,
        config: Mapping[str, Any],
        contract: Contract | None = None,
        cursor: Cursor | None = None,
        allows_absence: bool = False,
        is_sample: bool = False,
        window: WindowParts | None = None,
    ) -> None:
        defaults = config.get("resource_defaults") or {}
        self._own = as_entry(given)
        self._all = merged_entry(defaults, self._own)
        self._disposition = as_disposition(self._all.get("write_disposition"))
        self._endpoint = {"path": self.name, **self._all["endpoint"]}
        included = self._all.get("include_from_parent") or ()
        self.parent_values = ParentValues(self.name, self._endpoint, included)
        paging = self._endpoint.get("paginator") or config["client"].get("paginator")
        self.page_params = PageParams.configured(self.name, self._endpoint, paging)
        self.paginator = self.page_params.paginator
        self._rows = rows_config(f"resource `{self.name}`", self._all, self.paginator)
        key = as_fields(self._all.get("primary_key"))
        self.contract = contract or Contract(
            self.name, primary_key=key, hard_delete=hard_delete_column(self._all["columns"], {})
        )
        self.cursor, self.window = cursor, window
        is_single = isinstance(self.paginator, SinglePagePaginator)
        self.place = RowPlace(
            self._endpoint.get("data_selector"),
            accepts_object=paging in (None, "auto") or is_single,
            key=self.key_in_a_page,
            is_known=allows_absence or self.contract.rows_may_be_absent,
            is_keyed=bool(self._rows and self._rows.entries),
        )
        if wrong := wrong_selector(self.place.path, self.paginator):
            raise ConfigurationError(f"resource `{self.name}`: {wrong}")
        is_object = is_single and not paging  # by its path, whose fields are its own
        self.evidence = EvidenceFinder(
            *(paging, self.paginator, self.place.path),
            counted=not (is_object or (is_single and is_sample)),
            keyed=self.place.is_keyed,
        )
        # a filter leaves out rows that the API counts
        self.is_checked = not (is_object or is_sample or is_filter(self.place.path))

    @property
    def name(self) -> str:
        """The resource's name."""
        return str(self._own["name"])

    @property
    def path(self) -> str:
        """The path below the base URL, or a whole URL; it may have placeholders."""
        return str(self._endpoint["path"])

    @property
    def quality(self) -> QualityPlaces:
        """The places where an answer states that its rows are not all, or not exact."""
        return QualityPlaces.of(self._all.get("answer_quality"))

    @property
    def is_read_alone(self) -> bool:
        """True if no other resource of the API is to be read at the same time."""
        return self._all.get("parallelized") is False

    @cached_property
    def steps(self) -> ProcessingSteps:
        """The entry's own `processing_steps`."""
        return ProcessingSteps(self._all.get("processing_steps") or (), self.name)

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
    def accepts_tables(self) -> bool:
        """True if dlt can load Arrow tables, and no hint is a function of a row."""
        columns = self._all.get("columns") or {}
        return (
            self.contract.table.is_as_declared([each.name for each in self.contract.columns])
            and self._disposition.get("strategy") in (None, "delete-insert")
            and not any(map(callable, self._all.values()))
            and isinstance(columns, dict)
        )

    @property
    def as_arrow(self) -> bool:
        """True if a contract has the types of columns, so that its rows become Arrow tables."""
        return self.accepts_tables and self.contract.has_schema

    @property
    def rows_repeated(self) -> str:
        """The metric that counts rows with the key of another row."""
        if self.has_sorted_rows:
            return ROWS_SUPERSEDED
        return ROWS_ALIKE_BEFORE_STEPS if self.numbers_rows else ROWS_REPEATED

    def answer_decoder(
        self, request: requests.Request, resource: DltResource | None
    ) -> AnswerDecoder:
        """Return the decoder of the answers of one read.

        Args:
            request: the first request, as dlt makes it of the entry.
            resource: dlt's resource, to decode rows into columns of its types; None to leave them.
        """
        # dlt 1.31 makes a hook of each action, and adds one of its own for error statuses
        actions = self._endpoint.get("response_actions") or ()
        hooks = request.hooks["response"][: len(actions)]
        in_columns = resource is not None and self.accepts_tables and not self._rows
        has_cursor = self.cursor is None or self.cursor.is_a_column
        zoned = self.cursor.zoned_field if self.cursor else None

        def columns(path: str) -> PageDecoder | None:
            if not (in_columns and has_cursor and PageDecoder.can_decode(self.contract, path)):
                return None
            return PageDecoder(self.contract, path, resource, self.key_in_a_page, zoned)

        return AnswerDecoder(
            *(self.name, self.place, self.has_decimals, hooks, columns),
            auth=request.auth,
            reshape=self._reshape(request) if self._rows else None,
            has_lines=self._all.get("body_format") == JSON_LINES,
        )

    def _reshape(self, request: requests.Request) -> Reshape:
        assert self._rows, "else rows are as the API sends them"
        of_request = (self.name, self._rows, request, self.path)
        return Reshape.of(*of_request, self._stays_text, self.has_decimals)

    def _stays_text(self, field: str) -> bool:
        """Return True if the entry or a format of times says what a text is, and no vendor."""
        hint = self.hints.get(self.contract.name_of(field), {})
        return field in self.contract.time_formats or hint.get("data_type") == "text"

    def for_dlt(self) -> dict[str, Any]:
        """Return the entry for dlt, which makes requests and tables of it.

        Its `processing_steps` are left to the step that validates rows.
        """
        merged = self.parent_values.in_endpoint(self._all["endpoint"])
        endpoint = {
            **(self.cursor.in_endpoint(merged) if self.cursor else merged),
            "paginator": FirstRequest(),
        }
        disposition = {"write_disposition": DEDUPLICATED} if self._is_deduplicated() else {}
        given = {**self._own, "processing_steps": []}
        return {**given, "endpoint": endpoint, **self._hints(), **disposition}

    def _is_deduplicated(self) -> bool:
        """Return True if each key occurs once, so that dlt need not deduplicate the rows."""
        if self.window:  # its parts are read one by one, and may have keys in common
            return False
        is_plain_merge = self._disposition == {"disposition": "merge"}
        types = {column.field: column.data_type for column in self.contract.columns}
        # keys of other types may differ in JSON and be the same in the table
        is_compared = all(types.get(part) in KEY_TYPES for part in self.contract.primary_key)
        return is_plain_merge and self.last_row_wins and self.as_arrow and is_compared

    @cached_property
    def key_in_a_page(self) -> tuple[str, ...]:
        """The key as far as the API sends it; dlt adds what `include_from_parent` names."""
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
            hints["columns"] = {**columns, **(DLT_COLUMNS if self.accepts_tables else {}), **added}
        for kind in ("primary_key", "merge_key"):
            names = [self.contract.name_of(field) for field in as_fields(self._all.get(kind))]
            # dlt warns of two columns where a key has the name of its field, and its hint another
            if names and (
                self.contract.rename or not {*hints.get("columns", ())}.isdisjoint(names)
            ):
                hints[kind] = names
        return hints
