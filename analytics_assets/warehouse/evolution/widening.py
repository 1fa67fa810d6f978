"""Types that a stored column can take over without a change of any stored value."""

from analytics_assets.contract.rows.storage_limits import LARGEST_EXACT
from analytics_assets.warehouse.errors import ColumnInUseError
from analytics_assets.warehouse.evolution.column_type import ColumnType
from analytics_assets.warehouse.evolution.statements import TEXTS
from analytics_assets.warehouse.queries.tables import Tables

BIGINT_DIGITS = 19
WIDER = {
    "bigint": ("double", "text"),
    "double": ("text",),
    "bool": ("text",),
    "date": ("timestamp", "text"),
    "timestamp": ("text",),
    "time": ("text",),
    "decimal": ("text",),
}

# objects that prevent a change of a column's type: in DuckDB any index of the table
DEPENDENTS = {
    "duckdb": "SELECT 'the index ' || index_name FROM duckdb_indexes() "
    "WHERE database_name = current_database() AND schema_name = %s AND table_name = %s "
    "AND %s IS NOT NULL ORDER BY 1",
    "postgres": "SELECT DISTINCT format('the view %%s.%%s', v.relnamespace::regnamespace, "
    "v.relname) FROM pg_depend d "
    "JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid "
    "JOIN pg_class v ON v.oid = r.ev_class AND v.oid <> d.refobjid "
    "JOIN pg_class t ON t.oid = d.refobjid "
    "JOIN pg_namespace n ON n.oid = t.relnamespace "
    "JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid "
    "WHERE n.nspname = %s AND t.relname = %s AND a.attname = %s ORDER BY 1",
}


def is_widening(stored: ColumnType, new: ColumnType) -> bool:
    """Test if each value of a type is the same value in another, wider type.

    Integers become doubles only if none is too large: see `can_widen`.

    Args:
        stored: the type of the column in the warehouse.
        new: the type that a load would write.

    Example:
        >>> is_widening(ColumnType("date"), ColumnType("timestamp"))
        True
        >>> is_widening(ColumnType("text"), ColumnType("bigint"))
        False
    """
    if new.kind == "text" and new.precision is not None and stored.kind != "text":
        return False
    if stored.kind == new.kind:
        return stored != new and _holds(new, stored)
    if (stored.kind, new.kind) == ("bigint", "decimal"):
        return new.digits >= BIGINT_DIGITS
    return new.kind in WIDER.get(stored.kind, ())


def holds(stored: ColumnType, new: ColumnType) -> bool:
    """Test if a column of a type holds each value of a type of the same kind."""
    return stored.kind == new.kind and _holds(stored, new)


def _holds(wide: ColumnType, narrow: ColumnType) -> bool:
    if wide.kind == "decimal":
        return wide.digits >= narrow.digits and (wide.scale or 0) >= (narrow.scale or 0)
    if wide.precision is None:
        return True
    return narrow.precision is not None and wide.precision >= narrow.precision


def can_widen(tables: Tables, table: str, column: str, stored: ColumnType, new: ColumnType) -> bool:
    """Test if a stored column can take over a type.

    Args:
        tables: the open warehouse.
        table: the table.
        column: the column.
        stored: its type.
        new: the type that a load would write.

    Raises:
        ColumnInUseError: it could, but a view or an index depends on the column.
    """
    if tables.dialect not in TEXTS or not is_widening(stored, new):
        return False
    depends_on_values = (stored.kind, new.kind) == ("bigint", "double")
    if depends_on_values and not _has_exact_integers(tables, table, column):
        return False
    if dependents := _dependents(tables, table, column):
        raise ColumnInUseError(table, column, str(stored), str(new), dependents)
    return True


def _has_exact_integers(tables: Tables, table: str, column: str) -> bool:
    """Test if a double holds each integer of a column."""
    name, most = tables.escaped(column), LARGEST_EXACT
    [[inexact]] = tables.select("count(*)", table, f"WHERE {name} < -{most} OR {name} > {most}")
    return not inexact


def _dependents(tables: Tables, table: str, column: str) -> list[str]:
    """Return the views or indexes that prevent a change of a column's type, by kind and name.

    Those of other destinations than DuckDB and PostgreSQL are not known.
    """
    query = DEPENDENTS.get(tables.dialect)
    found = query and tables.execute(query, tables.dataset, table, column)
    return [str(name) for [name] in found or ()]
