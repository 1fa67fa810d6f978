"""The incremental cursor of a resource: the newest change that its loads have read.

It is dlt's own (https://dlthub.com/docs/general-usage/incremental/cursor), kept in the destination,
but drops no rows. dlt 1.31 would drop those that are older than the start, which are then in no
table, and those on the boundary that it takes for known; and it mixes up its cursors where a read
has both rows and Arrow tables. As the API has applied the range already, `advance` moves the cursor
instead.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import dlt
from dlt.common import jsonpath
from dlt.extract.items import SupportsPipe

from analytics_assets.config.entry.place import filled, literal, placed
from analytics_assets.config.load import Incremental
from analytics_assets.config.times.timestamps import earlier, has_utc_offset, parse_timestamp
from analytics_assets.config.times.window import START
from analytics_assets.contract.contract import Contract
from analytics_assets.extract.compat import advance_incremental, reset_state
from analytics_assets.extract.incremental.cursor_values import (
    CLOCK_DIFFERENCE,
    CursorError,
    CursorValues,
)
from analytics_assets.extract.rows.arrow import is_table
from analytics_assets.extract.rows.pipe_step import PipeStep

OF_DLT = "{incremental.start_value}"  # dlt puts the start there, as `convert` returns it
STATE_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"  # of the cursor in dlt's state: sorts as times do
BEFORE, AFTER, STARTED, LOOKBACK = (
    f"cursor_{name}" for name in ("before", "after", "start", "lookback")
)


class StateReset(PipeStep):
    """The step that removes the state of a resource, earlier loads' cursor included."""

    placement_affinity = -0.95

    def bind(self, pipe: SupportsPipe) -> "StateReset":
        """Reset the state before a cursor is bound to it."""
        reset_state(pipe.name)
        return self


class Cursor(PipeStep):
    """Sets the start of a read, and advances by its rows; a step of a resource's pipe.

    The cursor is the newest change among all rows of a read, rejected ones included, as they are in
    `rejected_rows`. It never moves back, and never beyond the time at which the read began. It is
    stored with its rows, in the same load: a load that fails leaves it unchanged.

    Args:
        load: its field, parameter and lookback.
        contract: the resource, and the names of its columns.
        start: the start of this one read. If it is later than the usual start, the cursor does not
            move, as rows in between may have been left out.
        full_refresh: True to reset the cursor and start at `initial_value`.
    """

    placement_affinity = -0.95

    def __init__(
        self,
        load: Incremental,
        contract: Contract,
        start: datetime | None = None,
        full_refresh: bool = False,
    ) -> None:
        super().__init__()
        self._load, self._contract = load, contract
        self._chosen, self._full_refresh = start, full_refresh
        self._initial = load.start
        self._format = contract.time_formats.get(load.field)

    @property
    def is_a_column(self) -> bool:
        """True if the field can be a column of an Arrow table, by the contract or by dlt."""
        is_name = jsonpath.extract_simple_field_name(self._load.field) == self._load.field
        return is_name or any(each.field == self._load.field for each in self._contract.columns)

    @property
    def zoned_field(self) -> str | None:
        """The field if its times must have a time zone, as `initial_value` has one; else None."""
        load = self._load
        is_iso = not (load.format or self._format)
        return load.field if is_iso and has_utc_offset(str(load.initial_value)) else None

    def in_endpoint(self, endpoint: Mapping[str, Any]) -> dict[str, Any]:
        """Add parameter and `incremental` of a read to an endpoint with all its defaults."""
        load = self._load
        return {
            **placed(endpoint, filled(literal(load.templates), {literal(START): OF_DLT})),
            "incremental": {
                "cursor_path": load.field,
                "initial_value": self._initial.strftime(STATE_FORMAT),
                # a function, as dlt deep-copies all other objects of a configuration
                "convert": lambda _: self._sent,
            },
        }

    def bind(self, pipe: SupportsPipe) -> "Cursor":
        """Determine the start of the read.

        Raises:
            CursorError: the stored cursor is no time, or one in the future.
        """
        self._pipe = pipe
        now = datetime.now(UTC)
        self._before = self._stored(pipe.name, now)
        self._known = max(self._initial, self._before or self._initial)
        if self._is_reset:
            self._known = self._initial
        usual = max(self._initial, earlier(self._known, self._load.lookback))
        self._moves = self._chosen is None or self._chosen <= usual
        load, form = self._load, self._format
        self._sent = load.written(self._chosen or usual, form)
        start = load.read(self._sent, form)
        zoned = self.zoned_field is not None
        self._values = CursorValues(self._contract, load, start, now, zoned)
        self._custom_metrics = {}
        return self

    def _stored(self, resource: str, now: datetime) -> datetime | None:
        """Return the cursor of earlier loads, None before the first; reset it where that is due."""
        field = self._load.field
        state = dlt.current.resource_state(resource).get("incremental", {}).get(field) or {}
        last, initial = (
            parse_timestamp(state.get("last_value")),
            parse_timestamp(state.get("initial_value")),
        )
        # an `initial_value` that was moved back asks for more of the past
        self._is_reset = self._full_refresh or (initial is not None and initial > self._initial)
        if self._is_reset:
            reset_state(resource)
        elif state and (last is None or last > now + CLOCK_DIFFERENCE):
            wrong = "no time" if last is None else "yet to come, so that no load would bring a row"
            raise CursorError(
                f"{resource}: the cursor `{field}` that is kept in the destination is "
                f"{state.get('last_value')!r}, which is {wrong}. Begin at `initial_value` again: "
                "set `full_refresh: true` in the configuration of a run."
            )
        elif last:
            state["last_value"] = last.strftime(STATE_FORMAT)
        return last

    def __call__(self, item: Any, meta: Any = None) -> Any:
        """Advance the cursor by some rows, and pass them on as they are.

        Raises:
            CursorError: a time is in no time zone, but `initial_value` is in one; or it is a
                number, and no format says of what.
        """
        if not (is_table(item) or isinstance(item, list)):
            return item
        self._values.add(item)
        newest = max(self._known, self._values.newest or self._known)
        moved = newest.strftime(STATE_FORMAT) if self._moves else None
        advance_incremental(self._pipe, moved)  # its step is the next to see the rows
        self._custom_metrics["cursor"] = {
            BEFORE: self._before.isoformat() if self._before else "none",
            AFTER: (newest if self._moves else self._known).isoformat(),
            STARTED: str(self._sent),
            LOOKBACK: str(self._load.lookback),
            **self._values.counts,
        }
        return item
