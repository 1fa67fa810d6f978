"""Objects and lists of rows: as JSON in one column, or in columns and tables of their own.

dlt makes the column `properties__email` of a field within an object, and the table `orders__tags`
of a list, unless a hint makes the object or the list a JSON column.
"""

from collections.abc import Collection, Mapping
from typing import Any

SEPARATOR = "__"  # of the names that lead to a field within an object


def columns_elsewhere(
    declared: Mapping[str, Any], stored: Mapping[str, Any], child_tables: Collection[str]
) -> set[str]:
    """Return the declared columns whose values a table has in other columns.

    Args:
        declared: the columns by contract and entry: hints of dlt by name.
        stored: the columns of the table.
        child_tables: the tables of lists, without the name of the table in front: `tags`.
    """
    return {
        name
        for name, hint in declared.items()
        if json_column_around(name, stored)
        or (hint.get("data_type") == "json" and _is_apart(name, declared, stored, child_tables))
    }


def json_column_around(name: str, stored: Mapping[str, Any]) -> str | None:
    """Return the JSON column of the object that a column is a part of; None if there is none.

    Args:
        name: the column.
        stored: the columns of the table.
    """
    if name in stored:
        return None
    parts = name.split(SEPARATOR)
    objects = [SEPARATOR.join(parts[:count]) for count in range(1, len(parts))]
    return next((each for each in objects if _is_json(stored.get(each))), None)


def _is_apart(
    name: str,
    declared: Mapping[str, Any],
    stored: Mapping[str, Any],
    child_tables: Collection[str],
) -> bool:
    """Test if dlt made other columns or tables of an object or a list before."""
    if name in stored:
        return not _is_json(stored[name])
    begin = f"{name}{SEPARATOR}"
    parts = [column for column in stored if column not in declared]
    return name in child_tables or any(part.startswith(begin) for part in (*parts, *child_tables))


def _is_json(column: Mapping[str, Any] | None) -> bool:
    return column is not None and column.get("data_type") == "json"
