"""The type of a column, as far as it decides the values that the column can hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DECIMAL = (38, 9)  # dlt's precision and scale of a decimal that names none
WEI = (38, 0)


@dataclass(frozen=True)
class ColumnType:
    """The type of a column.

    Args:
        kind: dlt's type; `decimal` for a `wei`, which is one without a fraction.
        precision: digits of a decimal, or letters of a text; None is no limit.
        scale: digits of a decimal behind its point.
    """

    kind: str
    precision: int | None = None
    scale: int | None = None

    @classmethod
    def of(cls, column: Mapping[str, Any]) -> "ColumnType | None":
        """Return the type of a column of dlt; None if the column has none yet.

        Args:
            column: the column, as a schema of dlt or a warehouse describes it.
        """
        kind, precision = column.get("data_type"), column.get("precision")
        if kind == "wei":
            return cls("decimal", *WEI)
        if kind == "decimal":
            scale = column.get("scale")
            return cls(kind, precision or DECIMAL[0], DECIMAL[1] if scale is None else scale)
        if kind == "text":
            return cls(kind, precision)
        return cls(str(kind)) if kind else None

    @property
    def digits(self) -> int:
        """The digits of a decimal before its point."""
        return (self.precision or 0) - (self.scale or 0)

    def __str__(self) -> str:
        """Return the type as the documentation of dlt writes it."""
        if self.kind == "decimal":
            return f"decimal({self.precision}, {self.scale})"
        return f"{self.kind}({self.precision})" if self.precision else self.kind
