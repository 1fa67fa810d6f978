"""dlt's normalizer, without the conversions that alter a value.

Where a column has another type than a value, dlt 1.31 converts the value: the text `01234` to the
number 1234, the number 5 to true. A value that is not converted goes to dlt's variant column, such
as `zip__v_text` beside `zip`: https://dlthub.com/docs/general-usage/schema#variant-columns
"""

import re
from decimal import Decimal
from typing import Any

from dlt.common.data_types.typing import TDataType
from dlt.common.normalizers.json.relational import DataItemNormalizer as RelationalNormalizer

from analytics_assets.contract.rows.storage_limits import BIGINT

JSON_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
BIGINT_TEXT = re.compile(r"0|-?[1-9]\d*", re.ASCII)
LONGEST = len(str(BIGINT[0]))
BOOLEANS = ("true", "false")


# this module stays here: each warehouse's schema holds its path, by which dlt imports it
class DataItemNormalizer(RelationalNormalizer):
    """Refuses conversions to another value; dlt looks for a class of this name."""

    def coerce_type(self, to_type: TDataType, from_type: TDataType, value: Any) -> Any:
        """Convert a value as dlt does.

        Raises:
            ValueError: the conversion is impossible, or would alter the value.
        """
        if to_type != from_type and _alters(to_type, from_type, value):
            raise ValueError(value)
        return super().coerce_type(to_type, from_type, value)


def _alters(to_type: TDataType, from_type: TDataType, value: Any) -> bool:
    if from_type == "text":
        return _alters_text(to_type, value)
    if to_type == "bool":
        return value not in (0, 1)
    if to_type == "double" and from_type == "bigint":
        return bool(int(float(value)) != value)
    if to_type == "bigint" and from_type == "double":
        return not BIGINT[0] <= value <= BIGINT[-1]
    return False


def _alters_text(to_type: TDataType, text: str) -> bool:
    if to_type == "bool":
        return text not in BOOLEANS
    if to_type == "bigint":
        # a text in another form, as with a leading zero, is a name and no number
        return len(text) > LONGEST or not BIGINT_TEXT.fullmatch(text) or int(text) not in BIGINT
    if to_type == "double":
        return not JSON_NUMBER.fullmatch(text) or Decimal(repr(float(text))) != Decimal(text)
    if to_type == "timestamp":
        return bool(JSON_NUMBER.fullmatch(text)) or text.isdigit()
    return False
