"""The incremental cursor: where a read begins, what moves it on, and that it drops no row."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from dlt.pipeline.exceptions import PipelineStepFailed

from analytics_assets.config.errors import find_cause
from analytics_assets.config.load import Incremental
from analytics_assets.config.timestamps import parse_timestamp
from analytics_assets.contract import Contract
from analytics_assets.contract.column import Column
from analytics_assets.extract import rest_api_source
from analytics_assets.extract.http.connection import connect
from analytics_assets.extract.incremental.cursor import Cursor, CursorError
from analytics_assets.extract.incremental.cursor_values import CursorValues
from analytics_assets.extract.paging import bulk_read
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.loading import table_values
from analytics_assets_tests.support.paged_server import (
    Answer,
    Asked,
    PagedServer,
    orders,
    paged,
    row,
    serving,
)

INITIAL = "2026-01-01T00:00:00Z"
DAY = timedelta(days=1)
LOAD = Incremental(param="since", field="at", initial_value=INITIAL, lookback=DAY)
KEYED = Contract("orders", primary_key=("id",))
MERGED = {"write_disposition": "merge"}


def typed(at: Any = "timestamp", column: str = "at") -> Contract:
    """What the rows are, so that pages of them can go straight into columns."""
    columns = (
        Column("id", "id", "bigint", nullable=False),
        Column("text", "text", "text", nullable=True),
        Column("at", column, at, nullable=True),
    )
    return Contract("orders", columns, ("id",), {} if column == "at" else {"at": column})


def at(day: int, **fields: Any) -> dict[str, Any]:
    """A row that changed on a day of January 2026, which is its key."""
    return row(day, at=f"2026-01-{day:02}T00:00:00Z", **fields)


@dataclass
class Shop:
    """An API that gives what has changed since a moment, and a warehouse that is kept."""

    rows: list[Any]
    contract: Contract = KEYED
    honours_since: bool = True

    def __post_init__(self) -> None:
        self.asked: list[Asked] = []
        self.metrics: dict[str, Any] = {}
        self.pipeline = Warehouse.from_settings().pipeline("test")

    def answer(self, asked: Asked) -> Answer:
        since = parse_timestamp(asked.query.get("since")) if self.honours_since else None
        wanted = [
            each
            for each in self.rows
            if since is None or (parse_timestamp(each.get("at")) or datetime.now(UTC)) >= since
        ]
        return paged(wanted)(asked)

    def load(self, load: Incremental = LOAD, **chosen: Any) -> list[str]:
        """Load what is new with a cursor, and tell from when on the API was asked."""
        return self.read(load, into_the_table=True, **chosen)

    def read(
        self, load: Incremental = LOAD, into_the_table: bool = False, **chosen: Any
    ) -> list[str]:
        """Read what is new, up to where it would be loaded; tell from when on."""
        with serving(self.answer) as server:
            cursor = Cursor(load, self.contract, **chosen)
            self.run(server, [orders(MERGED)], {"orders": cursor}, into_the_table)
        return list(dict.fromkeys(asked.query["since"] for asked in self.asked))

    def run(
        self,
        server: PagedServer,
        entries: list[Any],
        cursors: dict[str, Cursor],
        into_the_table: bool = True,
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
                self.pipeline.extract(source)
        finally:
            self.asked = [asked for asked in server.asked if "since" in asked.query]
        self.metrics = cursors[self.contract.resource].custom_metrics["cursor"]

    def load_by_dlts_own_cursor(self) -> None:
        with serving(self.answer) as server:
            entries = [orders(MERGED, incremental={"cursor_path": "at"})]
            config = {"client": {"base_url": server.base_url}, "resources": entries}
            self.pipeline.run(rest_api_source(config, "shop"), loader_file_format="parquet")

    @property
    def kept(self) -> dict[str, Any]:
        """The state of dlt's incremental cursor."""
        (source,) = self.pipeline.state["sources"].values()
        state: dict[str, Any] = source["resources"][self.contract.resource]["incremental"]["at"]
        return state

    def table(self, column: str = "id", name: str = "orders") -> list[Any]:
        return [row[column] for row in table_values(self.pipeline, name, order=column)]


def refused(shop: Shop, load: Incremental = LOAD, **chosen: Any) -> str:
    with pytest.raises(PipelineStepFailed) as caught:
        shop.read(load, **chosen)
    error = find_cause(caught.value, CursorError)
    assert error
    return str(error)


@pytest.mark.usefixtures("warehouse")
def test_the_first_read_begins_at_the_initial_value_and_the_next_a_lookback_before_the_newest() -> (
    None
):
    shop = Shop([at(3), at(5)])

    assert shop.load() == [INITIAL]
    assert shop.load() == ["2026-01-04T00:00:00Z"]
    shop.rows = [at(3), at(5), at(9)]
    assert shop.load() == ["2026-01-04T00:00:00Z"]
    assert shop.load() == ["2026-01-08T00:00:00Z"]
    assert shop.table() == [3, 5, 9]


def test_the_lookback_does_not_go_beyond_the_initial_value() -> None:
    shop = Shop([at(3)])
    load = Incremental(param="since", field="at", initial_value=INITIAL, lookback=30 * DAY)

    assert shop.read(load) == shop.read(load) == [INITIAL]


@pytest.mark.parametrize(
    ("initial", "sent"),
    [
        ("2026-01-01", "2026-01-04"),
        ("20260101", "20260104"),
        ("2026-01-01T00:00:00Z", "2026-01-04T10:20:30Z"),
        ("2026-01-01T00:00:00.000Z", "2026-01-04T10:20:30.456Z"),
        ("2026-01-01T00:00:00+02:00", "2026-01-04T12:20:30+02:00"),
        ("2026-01-01T00:00:00", "2026-01-04T10:20:30"),
        ("2026-01-01T00:00", "2026-01-04T10:20"),
    ],
)
def test_a_start_is_sent_in_the_form_of_the_initial_value_and_never_later_than_it_is(
    initial: str, sent: str
) -> None:
    shop = Shop([row(1, at="2026-01-05T10:20:30.456789Z")])
    load = Incremental(param="since", field="at", initial_value=initial, lookback=DAY)

    assert shop.read(load) == [initial]
    assert shop.read(load) == [sent]


@pytest.mark.parametrize(
    "times",
    [
        ("2026-01-05T01:00:00+03:00", "2026-01-04T23:00:00Z"),
        ("2026-01-04T23:00:00Z", "2026-01-04T22:00:00.5Z"),
        ("2026-01-04T23:00:00Z", "2026-01-04"),
        (1767567600, 1767567599.5),  # seconds since 1970
    ],
)
def test_the_newest_is_the_latest_moment_however_times_are_written(times: tuple[Any, Any]) -> None:
    shop = Shop([row(number, at=moment) for number, moment in enumerate(times)])
    shop.honours_since = False

    shop.read()

    assert shop.kept["last_value"] == "2026-01-04T23:00:00.000000Z"


@pytest.mark.usefixtures("warehouse")
def test_a_row_at_the_boundary_that_came_before_is_taken_again_and_a_new_one_is_taken_too() -> None:
    load = Incremental(param="since", field="at", initial_value=INITIAL, lookback=timedelta(0))
    shop = Shop([at(3), at(5)])
    shop.load(load)
    shop.rows = [at(3), at(5, more="restated"), {**at(5), "id": 6}]

    assert shop.load(load) == ["2026-01-05T00:00:00Z"]
    assert shop.table() == [3, 5, 6]
    assert shop.table("more") == ["restated", None, None]


@pytest.mark.usefixtures("warehouse")
@pytest.mark.parametrize("contract", [KEYED, typed()])
def test_rows_older_than_was_asked_for_are_loaded_and_counted(contract: Contract) -> None:
    shop = Shop([at(9)], contract)
    shop.load()
    shop.rows, shop.honours_since = [at(2), at(3), at(9)], False

    shop.load()

    assert shop.table() == [2, 3, 9]
    assert shop.metrics["rows_before_start"] == 2
    assert shop.kept["last_value"] == "2026-01-09T00:00:00.000000Z"


@pytest.mark.usefixtures("warehouse")
@pytest.mark.parametrize("contract", [KEYED, typed()])
def test_rows_without_the_moment_are_loaded_and_counted(contract: Contract) -> None:
    shop = Shop([row(1), row(2, at=None), at(3)], contract)

    shop.load()

    assert shop.table() == [1, 2, 3]
    assert shop.metrics["rows_without_cursor"] == 2
    assert shop.kept["last_value"] == "2026-01-03T00:00:00.000000Z"


@pytest.mark.usefixtures("warehouse")
@pytest.mark.parametrize("contract", [KEYED, typed()])
def test_a_moment_that_is_yet_to_come_does_not_stop_later_loads(contract: Contract) -> None:
    shop = Shop([at(3), row(4, at="2999-01-01T00:00:00Z")], contract)

    shop.load()

    assert shop.table() == [3, 4]
    assert shop.metrics["rows_yet_to_come"] == 1
    assert shop.load() == ["2026-01-02T00:00:00Z"]


def test_the_cursor_does_not_go_back() -> None:
    shop = Shop([at(9)])
    shop.read()
    shop.rows = []
    shop.read()
    assert shop.kept["last_value"] == "2026-01-09T00:00:00.000000Z"
    shop.rows, shop.honours_since = [at(3)], False
    shop.read()
    assert shop.kept["last_value"] == "2026-01-09T00:00:00.000000Z"
    assert shop.metrics["cursor_before"] == shop.metrics["cursor_after"]


@pytest.mark.usefixtures("warehouse")
def test_a_rejected_row_moves_the_cursor_on_as_it_is_among_the_rejected_ones() -> None:
    shop = Shop([at(3), {"text": "no key", "at": "2026-01-05T00:00:00Z"}])

    shop.load()

    assert shop.table("reason", "rejected_rows") == ["`$.id`: missing primary key"]
    assert shop.kept["last_value"] == "2026-01-05T00:00:00.000000Z"


@pytest.mark.usefixtures("warehouse")
def test_a_read_that_fails_leaves_the_cursor_where_it_was() -> None:
    shop = Shop([at(3)])
    shop.load()
    shop.rows = [at(3), at(5), at(7), at(9)]
    complete = shop.answer
    shop.answer = lambda asked: complete(asked) if asked.number("offset") < 2 else Answer({}, 404)  # type: ignore[method-assign]
    with pytest.raises(PipelineStepFailed):
        shop.load()
    shop.answer = complete  # type: ignore[method-assign]

    assert shop.load() == ["2026-01-02T00:00:00Z"]
    assert shop.table() == [3, 5, 7, 9]


@pytest.mark.usefixtures("warehouse")
def test_a_load_that_fails_in_the_warehouse_leaves_the_cursor_where_it_was() -> None:
    shop = Shop([at(3)])
    shop.load()
    with shop.pipeline.sql_client() as client:
        client.execute_sql("ALTER TABLE orders RENAME TO moved")
    shop.rows = [at(3), at(9)]
    with pytest.raises(PipelineStepFailed):
        shop.load()
    with shop.pipeline.sql_client() as client:
        client.execute_sql("ALTER TABLE moved RENAME TO orders")

    assert shop.load() == ["2026-01-02T00:00:00Z"]
    assert shop.table() == [3, 9]


def test_a_chosen_start_that_leaves_no_gap_moves_the_cursor_on() -> None:
    shop = Shop([at(3), at(9)])
    shop.read()
    shop.rows = [at(3), at(4), at(9), at(11)]

    assert shop.read(start=datetime(2026, 1, 4, tzinfo=UTC)) == ["2026-01-04T00:00:00Z"]
    assert shop.read() == ["2026-01-10T00:00:00Z"]


@pytest.mark.usefixtures("warehouse")
def test_a_chosen_start_behind_the_cursor_does_not_move_it_past_what_was_not_read() -> None:
    shop = Shop([at(3)])
    shop.load()
    shop.rows = [at(3), at(5), at(9)]

    assert shop.load(start=datetime(2026, 1, 8, tzinfo=UTC)) == ["2026-01-08T00:00:00Z"]
    assert shop.table() == [3, 9]
    assert shop.load() == ["2026-01-02T00:00:00Z"]
    assert shop.table() == [3, 5, 9]


@pytest.mark.usefixtures("warehouse")
def test_a_read_anew_begins_at_the_initial_value_and_may_set_the_cursor_back() -> None:
    shop = Shop([at(3), at(9)])
    shop.load()
    shop.rows = [at(2), at(3)]

    assert shop.load(full_refresh=True) == [INITIAL]
    assert shop.table() == [2, 3, 9]
    assert shop.metrics["cursor_before"] == "2026-01-09T00:00:00+00:00"
    assert shop.load() == ["2026-01-02T00:00:00Z"]


@pytest.mark.usefixtures("warehouse")
def test_an_earlier_initial_value_than_loads_began_at_brings_the_past_that_it_asks_for() -> None:
    shop = Shop([{**at(3), "at": "2025-06-01T00:00:00Z"}, at(9)])
    shop.load()
    assert shop.table() == [9]
    earlier = Incremental(param="since", field="at", initial_value="2025-01-01", lookback=DAY)

    assert shop.load(earlier) == ["2025-01-01"]
    assert shop.table() == [3, 9]
    assert shop.load(earlier) == ["2026-01-08"]


@pytest.mark.usefixtures("warehouse")
@pytest.mark.parametrize(
    ("kept", "said"),
    [
        ("2999-01-01T00:00:00Z", "'2999-01-01T00:00:00Z', which is yet to come, so that no load"),
        (17, "17, which is no time"),
        ("Monday", "'Monday', which is no time"),
    ],
)
def test_a_kept_cursor_by_which_nothing_would_be_read_is_refused_until_a_read_anew(
    kept: Any, said: str
) -> None:
    shop = Shop([row(1, at=kept)])
    shop.load_by_dlts_own_cursor()
    assert shop.kept["last_value"] == kept
    shop.rows = [at(3)]

    assert said in refused(shop)
    assert "set `full_refresh: true`" in refused(shop)
    assert shop.read(full_refresh=True) == [INITIAL]
    assert shop.read() == ["2026-01-02T00:00:00Z"]


@pytest.mark.usefixtures("warehouse")
def test_a_cursor_that_dlt_has_kept_for_the_entry_itself_is_taken_over() -> None:
    shop = Shop([at(3), at(9)])
    shop.load_by_dlts_own_cursor()
    assert shop.kept["last_value"] == "2026-01-09T00:00:00Z"

    assert shop.load() == ["2026-01-08T00:00:00Z"]


def test_a_time_without_a_zone_is_refused_where_the_initial_value_has_one() -> None:
    shop = Shop([row(1, at="2026-01-05T10:00:00")])

    said = refused(shop)

    assert "orders: `at` is '2026-01-05T10:00:00', which does not say in which time zone" in said
    without = Incremental(param="since", field="at", initial_value="2026-01-01T00:00:00")
    assert shop.read(without) == ["2026-01-01T00:00:00"]


def test_the_moment_may_be_within_an_object() -> None:
    shop = Shop([row(1, meta={"changed": "2026-01-05T00:00:00Z"}), row(2)])
    shop.honours_since = False
    load = Incremental(param="since", field="meta.changed", initial_value=INITIAL, lookback=DAY)

    shop.read(load)

    assert shop.metrics["rows_without_cursor"] == 1
    assert shop.metrics["cursor_after"] == "2026-01-05T00:00:00+00:00"


@pytest.mark.usefixtures("warehouse")
@pytest.mark.parametrize(
    ("contract", "form"),
    [
        (typed(), "2026-01-{:02}T00:00:00Z"),
        (typed(column="changed_at"), "2026-01-{:02}T00:00:00+00:00"),
        (typed("date"), "2026-01-{:02}"),
        (typed("text"), "2026-01-{:02}T00:00:00Z"),
    ],
)
def test_pages_that_go_straight_into_columns_move_the_cursor_as_others_do(
    monkeypatch: pytest.MonkeyPatch, contract: Contract, form: str
) -> None:
    monkeypatch.setattr(bulk_read, "FEWEST", 1)
    in_tables: list[int] = []
    add = CursorValues.add

    def watched(self: CursorValues, item: Any) -> None:
        in_tables.append(getattr(item, "num_rows", 0))
        add(self, item)

    monkeypatch.setattr(CursorValues, "add", watched)
    rows = [row(number, at=form.format(number)) for number in range(2, 29)]
    newest_in_the_middle = [*rows[:10], *reversed(rows[10:])]
    shop = Shop(newest_in_the_middle, contract)

    shop.load()

    assert sum(in_tables) > 20
    assert shop.table() == list(range(2, 29))
    assert shop.kept["last_value"] == "2026-01-28T00:00:00.000000Z"
    assert shop.load() == ["2026-01-27T00:00:00Z"]


@pytest.mark.usefixtures("warehouse")
def test_each_row_of_a_parent_is_asked_from_the_same_start() -> None:
    customers = [row(number) for number in range(6)]
    child = {
        "name": "visits",
        "primary_key": "id",
        "endpoint": {
            "path": "/visits/{resources.customers.id}",
            "data_selector": "data",
            "paginator": {"type": "offset", "limit": 2},
        },
        **MERGED,
    }
    parent = orders({"name": "customers", **MERGED}, path="/customers")
    shop = Shop([], Contract("visits", primary_key=("id",)))

    def answer(asked: Asked) -> Answer:
        if asked.path == "/customers":
            return paged(customers)(asked)
        number = int(asked.path.rpartition("/")[2])
        return paged([row(number, at=f"2026-01-{20 - number:02}T00:00:00Z")])(asked)

    with serving(answer) as server:
        shop.run(server, [parent, child], {"visits": Cursor(LOAD, shop.contract)})

    assert {asked.query["since"] for asked in shop.asked} == {INITIAL}
    assert shop.table(name="visits") == list(range(6))
    assert shop.kept["last_value"] == "2026-01-20T00:00:00.000000Z"
