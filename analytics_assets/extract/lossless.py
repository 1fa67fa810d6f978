"""dlt's normalizer, without the conversions that alter a value.

Where a column has another type than a value, dlt 1.31 converts the value: the text `01234` to the
number 1234, the number 5 to true, the number 20260131 to a day of 1970. A value that is not
converted goes to dlt's variant column, such as `zip__v_text` beside `zip`:
https://dlthub.com/docs/general-usage/schema#variant-columns
"""

from typing import Any

from dlt.common.data_types.typing import TDataType
from dlt.common.normalizers.json.relational import DataItemNormalizer as RelationalNormalizer

from analytics_assets.contract.rows.coercion import alters, as_text


# this module stays here: each warehouse's schema holds its path, by which dlt imports it
class DataItemNormalizer(RelationalNormalizer):
    """Refuses conversions to another value; dlt looks for a class of this name."""

    def coerce_type(self, to_type: TDataType, from_type: TDataType, value: Any) -> Any:
        """Convert a value as dlt does, and to a text as JSON or ISO 8601 writes it.

        Raises:
            ValueError: the conversion is impossible, or would alter the value.
        """
        if alters(to_type, from_type, value):
            raise ValueError(value)
        text = as_text(value) if to_type == "text" else None
        return super().coerce_type(to_type, from_type, value) if text is None else text
