"""Parquet files of a load, as DuckDB reads them."""

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

NO_COLUMNS: Mapping[str, str] = {}


def parquet_files(paths: Iterable[str], folders: Mapping[str, str] = NO_COLUMNS) -> str:
    """Return SQL of DuckDB for the rows of Parquet files, each with the columns of all.

    Args:
        paths: the files.
        folders: the types of the columns whose values are in the names of folders, as `id=7`; else
            such a folder is no column.
    """
    names = ", ".join("'{}'".format(path.replace("'", "''")) for path in paths)
    types = ", ".join(f"'{name}': {kind}" for name, kind in folders.items())
    columns = f"true, hive_types = {{{types}}}" if types else "false"
    return f"read_parquet([{names}], union_by_name = true, hive_partitioning = {columns})"


def files_of_one_type(files: Iterable[str]) -> Iterable[tuple[Set[str], Sequence[str]]]:
    """Group files, with the columns of each group, so that a column has one type in a group.

    DuckDB reads files of different types in one type for all, in which an integer beside a double
    is rounded.
    """
    from pyarrow.parquet import read_schema  # takes 0.1 s to import

    groups: list[tuple[dict[str, Any], list[str]]] = []
    for file in sorted(files):
        schema = read_schema(file)
        types = dict(zip(schema.names, schema.types, strict=True))
        for known, group in groups:
            if all(known.get(column, kind) == kind for column, kind in types.items()):
                known.update(types)
                group.append(file)
                break
        else:
            groups.append((types, [file]))
    return [(known.keys(), group) for known, group in groups]
