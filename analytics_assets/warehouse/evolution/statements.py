"""SQL that widens a column, in the dialects of DuckDB and PostgreSQL.

A text has the form that JSON and ISO 8601 give to a value: `true`, `5.5`, `2026-01-01`,
`2026-01-01T23:30:00Z`; the same in both warehouses, and the same as `as_text` of a new value.
"""

# of PostgreSQL, whose conversion to JSON depends on no setting of the server
_POSTGRES_TEXTS = {
    # whole numbers of 16 digits have an exponent in PostgreSQL alone
    "double": (
        "CASE WHEN abs({0}) >= 1e15 AND abs({0}) < 1e16 THEN CAST(CAST(CAST({0} AS VARCHAR) AS "
        "NUMERIC) AS VARCHAR) ELSE CAST({0} AS VARCHAR) END"
    ),
    "decimal": "CAST(trim_scale({0}) AS VARCHAR)",
    # one without a time zone is in UTC
    "timestamp": (
        "(CASE CAST(pg_typeof({0}) AS VARCHAR) WHEN 'timestamp without time zone' "
        "THEN to_jsonb({0}) ELSE to_jsonb(CAST({0} AS TIMESTAMPTZ) AT TIME ZONE 'UTC') END "
        "#>> '{{}}') || 'Z'"
    ),
    "date": "to_jsonb({0}) #>> '{{}}'",
    "time": "to_jsonb({0}) #>> '{{}}'",
}
_DUCKDB_TEXTS = {
    "double": r"regexp_replace(CAST({0} AS VARCHAR), '\.0$', '')",
    "decimal": (
        r"regexp_replace(regexp_replace(CAST({0} AS VARCHAR), '(\..*?)0+$', '\1'), '\.$', '')"
    ),
    # dlt sets the time zone of a session to UTC
    "timestamp": (r"regexp_replace(replace(CAST({0} AS VARCHAR), ' ', 'T'), '\+00$', '') || 'Z'"),
}
TEXTS = {"postgres": _POSTGRES_TEXTS, "duckdb": _DUCKDB_TEXTS}


def widened(dialect: str, column: str, stored: str, new: str, sql_type: str) -> str:
    """Return an expression of a column's values in a wider type.

    Args:
        dialect: `duckdb` or `postgres`.
        column: the column, escaped.
        stored: dlt's type of it.
        new: dlt's type of the values.
        sql_type: the warehouse's type of the values.
    """
    if new == "text" and stored != "text":
        return TEXTS[dialect].get(stored, "CAST({0} AS VARCHAR)").format(column)
    if (stored, new) == ("date", "timestamp") and "with time zone" in sql_type.lower():
        return f"CAST({column} AS TIMESTAMP) AT TIME ZONE 'UTC'"
    return f"CAST({column} AS {sql_type})"
