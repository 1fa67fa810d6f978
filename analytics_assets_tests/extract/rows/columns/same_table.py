"""Rows that change from page to page, loaded by stock dlt and by this project, typed or not."""

import random
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import dlt
import dlt.sources.rest_api

from analytics_assets.contract.contract import Contract
from analytics_assets.extract.rows.page_decoder import PageDecoder
from analytics_assets_tests.extract.rows.reading import metrics_of
from analytics_assets_tests.support.paged_server import orders, paged, serving, source_of

Row = dict[str, Any]
Draw = Callable[[random.Random], Any]
ABSENT: Any = ...  # a field that a row does not have
KEY = "id"
PAGES, ROWS = 5, 8


def moment(chance: random.Random) -> datetime:
    return datetime(2020, 1, 1, tzinfo=UTC) + timedelta(microseconds=chance.randrange(10**14))


VALUES: dict[str, Draw] = {
    "text": lambda chance: chance.choice(["", "a", "Ж\n", '"', "\\u0041", "1", "true", "2020"]),
    "int": lambda chance: chance.choice([0, -1, 7, 2**53 + 1, 2**63 - 1, -(2**63)]),
    "float": lambda chance: chance.choice([0.5, -1e-7, 0.1, 1e15 + 0.5]),
    "bool": lambda chance: chance.random() < 0.5,
    "moment": lambda chance: moment(chance).isoformat(),
    "zone": lambda chance: moment(chance).isoformat(timespec="seconds").replace("+00:00", "-05:30"),
    "local": lambda chance: moment(chance).replace(tzinfo=None).isoformat(" "),
    "nanoseconds": lambda chance: moment(chance).isoformat()[:26].ljust(29, "9") + "Z",
    "day": lambda chance: moment(chance).date().isoformat(),
    "clock": lambda chance: moment(chance).time().isoformat(),
    "uuid": lambda chance: f"{chance.randrange(16**32):032x}",
    "object": lambda chance: {"a": chance.randrange(9), "B c": {"d": "x"}, "e": None},
    "ragged": lambda chance: {name: chance.randrange(9) for name in "abc" if chance.random() < 0.5},
    "values": lambda chance: ["x", "y", "z"][: chance.randrange(4)],
    "rows": lambda chance: [
        {"n": number, "at": moment(chance).isoformat(), "in": {"deep": [number]}}
        for number in range(chance.randrange(3))
    ],
    "empty": lambda chance: {},
    "no rows": lambda chance: [],
}
VALUES_OF_CHANGES: dict[str, Draw] = {"lists": lambda _: [[1], [2, 3]]}
# a later kind of value, beside which a column of dlt's stays as it is
CHANGES = [
    ("int", "float"),
    ("moment", "text"),
    ("int", "text"),
    ("object", "text"),
    ("text", "int"),
]
CHANGES += [
    ("float", "int"),
    ("values", "rows"),
    ("empty", "moment"),
    ("no rows", "object"),
    ("values", "int"),
    ("values", "lists"),
]


def pages_of(seed: int) -> list[list[Row]]:
    """Pages whose fields are null, late, of several kinds, or all of it."""
    chance = random.Random(seed)
    draws = {**VALUES, **VALUES_OF_CHANGES}
    fields: dict[str, Callable[[int], Any]] = {}

    def field(kind: str, later: str | None, first: int, nulls: float, gaps: float) -> Any:
        def value(page: int) -> Any:
            if page < first or chance.random() < gaps:
                return ABSENT
            if chance.random() < nulls:
                return None
            return draws[later if later and page > 2 else kind](chance)

        return value

    kinds: list[tuple[str, str | None]] = [
        (kind, None) for kind in chance.sample(sorted(VALUES), 8)
    ]
    kinds += chance.sample(CHANGES, seed % 3)
    for number, (kind, later) in enumerate(kinds):
        first, odds = chance.choice([0, 0, 0, 2]), [0.0, 0.3, 0.6]
        name = f"{kind}_{later or 'only'}_{number}"
        fields[name] = field(kind, later, first, chance.choice(odds), chance.choice(odds))
    pages = []
    for page in range(PAGES):
        rows: list[Row] = [{"id": page * ROWS + number} for number in range(ROWS)]
        for row in rows:
            found = {name: value(page) for name, value in fields.items()}
            row |= {name: value for name, value in found.items() if value is not ABSENT}
        pages.append(rows)
    return pages


KEYED = Contract("orders", primary_key=(KEY,))


def load(
    folder: Path, pages: Sequence[list[Row]], way: str, contract: Contract = KEYED, **hints: Any
) -> "Loaded":
    """Load pages over HTTP: by stock dlt, or by this project, by rows alone or typed."""
    entry = orders(
        {"primary_key": KEY, "write_disposition": "merge", **hints},
        paginator={"type": "offset", "limit": ROWS},
    )
    by_rows = patch.object(PageDecoder, "decode", lambda *_: None)
    with serving(paged([row for page in pages for row in page])) as server:
        if way == "stock":
            config: Any = {"client": {"base_url": server.base_url}, "resources": [entry]}
            source = dlt.sources.rest_api.rest_api_source(config, name="shop")
        else:
            source = source_of(server, entry, contract=contract)
        destination = dlt.destinations.duckdb(str(folder / f"{way}.duckdb"))
        pipeline = dlt.pipeline(way, destination=destination, pipelines_dir=str(folder))
        with by_rows if way == "rows" else nullcontext():
            pipeline.run(source, loader_file_format="parquet")
    return Loaded(pipeline)


class Loaded:
    """The tables of a load.

    Args:
        pipeline: the pipeline that loaded them.
    """

    def __init__(self, pipeline: dlt.Pipeline) -> None:
        self.metrics = metrics_of(pipeline)
        self.pages_typed = self.metrics.pop("pages_typed", 0)
        self.pages_by_dlt = self.metrics.pop("pages_by_dlt", 0)
        tables = {str(each["name"]): each for each in pipeline.default_schema.data_tables()}
        self.columns = {name: dict(table["columns"]) for name, table in tables.items()}
        self.properties = {
            name: {key: value for key, value in table.items() if key != "columns"}
            for name, table in tables.items()
        }
        with pipeline.sql_client() as client:
            self._raw = {
                name: [
                    dict(zip(self.columns[name], row, strict=True))
                    for row in client.execute_sql(
                        "SELECT {} FROM {}".format(
                            ", ".join(f'"{column}"' for column in self.columns[name]), name
                        )
                    )
                    or ()
                ]
                for name in tables
            }

    def rows(self, table: str) -> list[str]:
        """The rows of a table in an order of their own: dlt's identifiers are those of places."""
        places: dict[Any, Any] = {}
        for name in sorted(self._raw, key=len):
            for row in self._raw[name]:
                parent = places.get(row.get("_dlt_parent_id"))
                root = places.get(row.get("_dlt_root_id"))
                places[row["_dlt_id"]] = (
                    parent,
                    root,
                    name,
                    row.get("id", row.get("_dlt_list_idx")),
                )
        found = []
        for row in self._raw[table]:
            values = {name: value for name, value in row.items() if not name.startswith("_dlt")}
            found.append(repr((places[row["_dlt_id"]], sorted(values.items()))))
        return sorted(found)
