"""An API that returns changes since a time, and a pipeline that reads them with a cursor."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from dlt.pipeline.exceptions import PipelineStepFailed

from analytics_assets.config.errors import find_cause
from analytics_assets.config.load import Incremental
from analytics_assets.config.times.timestamps import parse_timestamp
from analytics_assets.contract.column import Column
from analytics_assets.contract.contract import Contract
from analytics_assets.extract.http.connection import connect
from analytics_assets.extract.incremental.cursor import Cursor
from analytics_assets.extract.incremental.cursor_values import CursorError
from analytics_assets.extract.source import rest_api_source
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.extract.rows.reading import MERGED, metrics_of
from analytics_assets_tests.support.loading import table_values
from analytics_assets_tests.support.paged_server import (
    Answer,
    PagedServer,
    Request,
    orders,
    paged,
    row,
    serving,
)

INITIAL = "2026-01-01T00:00:00Z"
DAY = timedelta(days=1)
LOAD = Incremental(param="since", field="at", initial_value=INITIAL, lookback=DAY)
KEYED = Contract("orders", primary_key=("id",))


def typed(at: Any = "timestamp", column: str = "at") -> Contract:
    """The contract by which pages go straight into columns."""
    columns = (
        Column("id", "id", "bigint", nullable=False),
        Column("text", "text", "text", nullable=True),
        Column("at", column, at, nullable=True),
    )
    return Contract("orders", columns, ("id",), {} if column == "at" else {"at": column})


def changed(day: int, **fields: Any) -> dict[str, Any]:
    """A row that changed on a day of January 2026, which is its key."""
    return row(day, at=f"2026-01-{day:02}T00:00:00Z", **fields)


@dataclass
class Shop:
    """An API that returns changes since a time, and a pipeline that reads them."""

    rows: list[Any]
    contract: Contract = KEYED
    honours_since: bool = True

    def __post_init__(self) -> None:
        self.requests: list[Request] = []
        self.metrics: dict[str, Any] = {}
        self.rows_read = 0  # that a load would bring into the table
        self.pipeline = Warehouse.from_settings("analytics").pipeline("test")

    def answer(self, asked: Request) -> Answer:
        since = parse_timestamp(asked.query.get("since")) if self.honours_since else None
        wanted = [
            each
            for each in self.rows
            if since is None or (parse_timestamp(each.get("at")) or datetime.now(UTC)) >= since
        ]
        return paged(wanted)(asked)

    def load(self, load: Incremental = LOAD) -> list[str]:
        """Load what is new into the warehouse; return the starts that were sent."""
        return self.read(load, into_the_table=True)

    def read(
        self, load: Incremental = LOAD, into_the_table: bool = False, **chosen: Any
    ) -> list[str]:
        """Extract what is new, and keep the state; return the starts that were sent."""
        with serving(self.answer) as server:
            cursor = Cursor(load, self.contract, **chosen)
            self.run(server, [orders(MERGED)], {"orders": cursor}, into_the_table)
        return list(dict.fromkeys(asked.query["since"] for asked in self.requests))

    def run(
        self,
        server: PagedServer,
        entries: list[Any],
        cursors: dict[str, Cursor],
        into_the_table: bool = False,
    ) -> None:
        config = {"client": {"base_url": server.base_url}, "resources": entries}
        connection = connect(config["client"], "shop")  # type: ignore[arg-type]
        contracts = {self.contract.resource: self.contract}
        source = rest_api_source(config, "shop", connection, contracts, cursors)
        try:
            if into_the_table:
                self.pipeline.drop()  # as dagster-dlt does: state comes from the destination
                self.pipeline.run(source, loader_file_format="parquet")
            else:
                self.pipeline.extract(source, loader_file_format="parquet")
        finally:
            self.requests = [asked for asked in server.requests if "since" in asked.query]
        metrics = metrics_of(self.pipeline, self.contract.resource)
        self.metrics, self.rows_read = metrics["cursor"], metrics["items_count"]

    def read_by_dlts_own_cursor(self) -> None:
        with serving(self.answer) as server:
            entries = [orders(MERGED, incremental={"cursor_path": "at"})]
            config = {"client": {"base_url": server.base_url}, "resources": entries}
            self.pipeline.extract(rest_api_source(config, "shop"))

    @property
    def stored(self) -> Any:
        """The cursor in dlt's state."""
        (source,) = self.pipeline.state["sources"].values()
        return source["resources"][self.contract.resource]["incremental"]["at"]["last_value"]

    def table(self, column: str = "id") -> list[Any]:
        return [row[column] for row in table_values(self.pipeline, "orders", order=column)]


def error_of(shop: Shop, load: Incremental = LOAD) -> str:
    """The error of a read that is refused."""
    with pytest.raises(PipelineStepFailed) as caught:
        shop.read(load)
    error = find_cause(caught.value, CursorError)
    assert error
    return str(error)
