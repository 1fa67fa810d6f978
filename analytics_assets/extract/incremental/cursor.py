"""The incremental cursor of a resource: how far its loads have come, kept in the destination.

It is dlt's own (https://dlthub.com/docs/general-usage/incremental/cursor), but rows are left as
they come. dlt 1.31 would drop those that are older than the start, which are then in no table, and
those on the boundary that it takes for known; and it mixes up its cursors where a read brings rows
and Arrow tables. As the API has applied the range already, `advance` moves the cursor on instead.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import dlt
from dlt.extract.incremental import IncrementalResourceWrapper
from dlt.extract.items import SupportsPipe
from dlt.extract.items_transform import ItemTransform
from dlt.extract.pipe import Pipe
from dlt.extract.state import reset_resource_state

from analytics_assets.config.load import Incremental
from analytics_assets.config.timestamps import format_like, has_utc_offset, parse_timestamp
from analytics_assets.contract import Contract
from analytics_assets.extract.http.errors import ApiError
from analytics_assets.extract.incremental.cursor_values import (
    CLOCKS_DIFFER,
    Changes,
    ZoneUnknownError,
)
from analytics_assets.extract.rows.arrow import is_table

KEPT = "%Y-%m-%dT%H:%M:%S.%fZ"  # as the cursor is kept: texts that sort as moments do
BEFORE, AFTER, STARTED, LOOKBACK = (
    f"cursor_{what}" for what in ("before", "after", "start", "lookback")
)


class CursorError(ApiError):
    """The cursor cannot say where to begin, or rows cannot say how far they go."""


class ForgottenState(ItemTransform[Any, dict[str, Any]]):
    """The step that forgets what earlier loads of a resource have noted down, its cursor too."""

    leaves_rows_alone = True
    placement_affinity = -0.95

    def __init__(self) -> None:
        super().__init__(lambda item: item)

    def bind(self, pipe: SupportsPipe) -> "ForgottenState":
        """Forget it before a cursor is bound to it."""
        reset_resource_state(pipe.name)
        return self

    def __call__(self, item: Any, meta: Any = None) -> Any:
        """Give the item on."""
        return item


class Cursor(ItemTransform[Any, dict[str, Any]]):
    """Says from when on to ask the API, and moves on by what came; a step of a resource's pipe.

    The cursor is the newest change among all rows that were read, rejected ones included: those
    are in `rejected_rows`. It never goes back, and never beyond the moment at which the read
    began. It is kept with the rows that it tells of, in the same load: one that fails leaves it
    where it was.

    Args:
        load: which field and parameter, and how far back to look.
        contract: the resource, and how its columns are called.
        start: the moment from which this one read is to begin. If it is later than where the read
            would begin anyway, the cursor stays, as rows in between may have been left out.
        anew: whether to forget the cursor and begin at `initial_value`.
    """

    leaves_rows_alone = True
    placement_affinity = -0.95

    def __init__(
        self,
        load: Incremental,
        contract: Contract,
        start: datetime | None = None,
        anew: bool = False,
    ) -> None:
        super().__init__(lambda item: item)
        self._load, self._contract = load, contract
        self._chosen, self._anew = start, anew
        initial = parse_timestamp(load.initial_value)
        assert initial is not None, "checked by `Incremental`"
        self._initial = initial

    @property
    def is_a_column(self) -> bool:
        """Whether the contract knows the field, so that it is a column of each Arrow table."""
        return any(column.field == self._load.field for column in self._contract.columns)

    def in_endpoint(self, endpoint: Mapping[str, Any]) -> dict[str, Any]:
        """Return an endpoint that asks the API for what is new, in dlt's words."""
        load = self._load
        return {
            **endpoint,
            "params": {**(endpoint.get("params") or {}), load.param: "{incremental.start_value}"},
            "incremental": {
                "cursor_path": load.field,
                "initial_value": self._initial.strftime(KEPT),
                # not bound, as dlt copies configurations with all but functions
                "convert": lambda _: self._sent,
            },
        }

    def bind(self, pipe: SupportsPipe) -> "Cursor":
        """Find out where to begin.

        Raises:
            CursorError: what is kept is no time, or one that is yet to come.
        """
        assert isinstance(pipe, Pipe), "dlt has one kind of pipe"
        self._steps = pipe.steps
        now = datetime.now(UTC)
        self._before = self._kept(pipe.name, now)
        self._known = max(self._initial, self._before or self._initial)
        if self._is_forgotten:
            self._known = self._initial
        usual = max(self._initial, self._known - self._load.lookback)
        self._moves = self._chosen is None or self._chosen <= usual
        self._sent = format_like(self._chosen or usual, self._load.initial_value)
        start = parse_timestamp(self._sent)
        assert start is not None, "it has just been written"
        zoned = has_utc_offset(self._load.initial_value)
        self._changes = Changes(self._contract, self._load.field, start, now, zoned)
        self._custom_metrics = {}
        return self

    def _kept(self, resource: str, now: datetime) -> datetime | None:
        """Return how far earlier loads came, None if there was none; forget it if it is to be."""
        field = self._load.field
        state = dlt.current.resource_state(resource).get("incremental", {}).get(field) or {}
        last, initial = (
            parse_timestamp(state.get("last_value")),
            parse_timestamp(state.get("initial_value")),
        )
        # an earlier `initial_value` than the one at which loads began asks for more of the past
        self._is_forgotten = self._anew or (initial is not None and initial > self._initial)
        if self._is_forgotten:
            reset_resource_state(resource)
        elif state and (last is None or last > now + CLOCKS_DIFFER):
            wrong = "no time" if last is None else "yet to come, so that no load would bring a row"
            raise CursorError(
                f"{resource}: the cursor `{field}` that is kept in the destination is "
                f"{state.get('last_value')!r}, which is {wrong}. Begin at `initial_value` again: "
                "set `full_refresh: true` in the configuration of a run."
            )
        elif last:
            state["last_value"] = last.strftime(KEPT)
        return last

    def __call__(self, item: Any, meta: Any = None) -> Any:
        """Move the cursor on by some rows, and give them on as they are.

        Raises:
            CursorError: a time is in no time zone, but `initial_value` is in one.
        """
        if not (is_table(item) or isinstance(item, list)):
            return item
        try:
            self._changes.add(item)
        except ZoneUnknownError as error:
            raise CursorError(
                f"{self._contract.resource}: `{self._load.field}` is {str(error)!r}, which does "
                f"not say in which time zone; `initial_value` is {self._load.initial_value!r}. "
                "Write that as the API writes times, without a time zone."
            ) from None
        newest = max(self._known, self._changes.newest or self._known)
        self._advance(newest if self._moves else None)
        self._custom_metrics["cursor"] = {
            BEFORE: self._before.isoformat() if self._before else "none",
            AFTER: (newest if self._moves else self._known).isoformat(),
            STARTED: self._sent,
            LOOKBACK: str(self._load.lookback),
            **self._changes.counts,
        }
        return item

    def _advance(self, newest: datetime | None) -> None:
        """Move dlt's cursor, which is the next step that sees the rows; None leaves it as it is."""
        for step in self._steps:
            if isinstance(step, IncrementalResourceWrapper) and step.incremental:
                step.incremental.advance(newest and newest.strftime(KEPT))
