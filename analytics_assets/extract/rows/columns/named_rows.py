"""Rows as dlt loads them: by the names of columns, with JSON columns encoded."""

import json
from collections.abc import Sequence
from typing import Any

from dlt.extract import DltResource

from analytics_assets.contract.column import Hints
from analytics_assets.contract.contract import Contract


class NamedRows:
    """Names the fields of rows as columns.

    Texts and numbers in JSON columns are encoded: dlt 1.31 would put numbers into columns of their
    own, and decodes texts once.

    Args:
        contract: the names of the columns.
        hints: dlt's hints of the columns, by their names.
    """

    def __init__(self, contract: Contract, hints: Hints) -> None:
        self._rename = contract.rename
        self._name_of = contract.name_of
        self._json = {name for name in hints if hints[name].get("data_type") == "json"}
        nested = [each for each in contract.columns if each.parents and each.name in self._json]
        self._nested_json = [each.path for each in nested]

    def __call__(self, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the rows by the names of their columns."""
        if self._json:
            fields = [each for each in set().union(*rows) if self._name_of(each) in self._json]
            paths = [*((field,) for field in fields), *self._nested_json]
            rows = [_with_json(row, paths) for row in rows]
        if self._rename:
            rows = [{self._rename.get(name, name): row[name] for name in row} for row in rows]
        return list(rows)


def hints_of(resource: DltResource) -> Hints:
    """Return the hints of a resource's columns, by their names in the table."""
    return resource.columns if isinstance(resource.columns, dict) else {}


def _with_json(row: dict[str, Any], paths: Sequence[Sequence[str]]) -> Any:
    for path in paths:
        row = _encoded_at(row, path)
    return row


def _encoded_at(row: Any, path: Sequence[str]) -> Any:
    """Return a row with the value at a path encoded for dlt, unless that is an object or a list."""
    value = row.get(path[0]) if isinstance(row, dict) else None
    if value is None:
        return row
    if len(path) > 1:
        encoded = _encoded_at(value, path[1:])
    else:
        encoded = value if isinstance(value, dict | list) else _encoded_for_dlt(value)
    return row if encoded is value else {**row, path[0]: encoded}


def _encoded_for_dlt(value: Any) -> str:
    encoded = json.dumps(value, ensure_ascii=False)
    return json.dumps(encoded) if isinstance(value, str) else encoded
