"""Indexes of large merged tables in PostgreSQL, by which a load of few rows finds those it needs.

Without them a merge reads the whole table, and so does each count: of 10 million rows, 15 s for a
load of 10. dlt 1.31 indexes no key. They are made once they pay: a table that each load writes as a
whole has none. DuckDB keeps the least and the greatest value of each block of rows instead.
"""

import logging
import time
from collections.abc import Iterator, Sequence

from dlt.common.schema.typing import C_DLT_LOAD_ID
from dlt.destinations.exceptions import DatabaseException

from analytics_assets.config.errors import listed
from analytics_assets.config.text.quantities import count
from analytics_assets.contract.resource import Resource
from analytics_assets.warehouse.queries.newest_rows import time_columns
from analytics_assets.warehouse.queries.tables import Tables

INDEXED_FROM = 100_000  # rows: to read fewer takes less than 0.1 s
FEW = 0.1  # the share of a table's rows up to which a load is one of few rows
PATIENCE = "10s"  # for writers of the table, which PostgreSQL would wait for as long as they take
ROOT_ID = "_dlt_root_id"  # of a row in a child table: dlt deletes by it
# the columns of each index that finds any row, in their order
INDEXED = """
SELECT array_agg(CAST(part.attname AS text) ORDER BY place)
FROM pg_index
JOIN pg_class AS made ON made.oid = indexrelid
JOIN pg_am ON pg_am.oid = made.relam AND amname = 'btree'
CROSS JOIN LATERAL unnest(CAST(indkey AS int2[])) WITH ORDINALITY AS key(number, place)
JOIN pg_attribute AS part ON part.attrelid = indrelid AND part.attnum = number
WHERE indrelid = CAST(%s AS regclass) AND indisvalid AND indpred IS NULL AND indexprs IS NULL
AND place <= indnkeyatts
GROUP BY indexrelid
"""


def create_indexes(
    tables: Tables, resource: Resource, rows: int, loaded: int, log: logging.Logger
) -> None:
    """Make the indexes that a large table lacks, after a load of few rows.

    Those who read the table meanwhile do not wait. An index of somebody else's that begins with the
    same columns serves as well.

    Args:
        tables: the open warehouse, in PostgreSQL; there is nothing to do in any other.
        resource: the resource.
        rows: the number of rows in its table.
        loaded: the number of rows that the load has brought.
        log: for what was made, and for a warning if PostgreSQL refuses: the load is whole.
    """
    is_merged = resource.write_disposition["disposition"] == "merge"
    if not (is_merged and resource.policy.indexes and tables.makes_indexes):
        return
    if rows < INDEXED_FROM or loaded > FEW * rows:
        return
    for table, columns in _missing(tables, resource):
        began = time.monotonic()
        name, key = tables.qualified(table), ", ".join(map(tables.escaped, columns))
        log.info(
            f"{table}: making an index on {listed(columns)}, as the table has "
            f"{count(rows, 'row')} and this load brought {loaded:,}"
        )
        try:
            # of one transaction: a pooler lends the session to others, who must not inherit it
            wait = f"SELECT set_config('lock_timeout', '{PATIENCE}', true)"
            tables.execute(f"{wait}; CREATE INDEX ON {name} ({key})")
        except DatabaseException as error:
            log.warning(
                f"`{table}` has no index on {listed(columns)}, so that each load reads it as a "
                f'whole, and tries again; `"indexes": False` in the policy ends that: '
                f"{str(error).strip()}"
            )
        else:
            log.info(f"{table}: made the index in {time.monotonic() - began:.1f} s")


def _missing(tables: Tables, resource: Resource) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield the tables, and the columns of an index that each lacks."""
    day, changed = time_columns(tables, resource)
    times = [(column,) for column in (day, changed) if column]
    wanted: dict[str, list[tuple[str, ...]]] = {
        resource.table: [tuple(resource.contract.key_columns), (C_DLT_LOAD_ID,), *times],
        **{child: [(ROOT_ID,)] for child in tables.children(resource.table)},
    }
    for table, keys in wanted.items():
        found = [columns for [columns] in tables.execute(INDEXED, tables.qualified(table))]
        for key in dict.fromkeys(keys):
            is_there = key and {*key} <= tables.columns(table).keys()
            if is_there and not any({*columns[: len(key)]} == {*key} for columns in found):
                yield table, key
