"""The policy fields of an asset's page."""

from typing import Any

import pytest

from analytics_assets.config.errors import ConfigurationError
from analytics_assets.config.policy import MOST_PREVIEWED, Policy


@pytest.mark.parametrize("rows", [None, 0, 5, MOST_PREVIEWED])
def test_a_number_of_rows_is_accepted(rows: Any) -> None:
    assert Policy.merged("policy of `orders`", {"preview": rows}).preview == rows


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        ({"preview": -1}, "`preview` is -1; give a number of rows from 0 to 50."),
        ({"preview": MOST_PREVIEWED + 1}, "give a number of rows from 0 to 50."),
        ({"preview": True}, "`preview` cannot be True"),
        ({"preview": "5"}, "`preview"),
        ({"sensitive": "email"}, "`sensitive` cannot be 'email'"),
        ({"sensitive": [1]}, "`sensitive.0` cannot be 1"),
    ],
)
def test_a_wrong_value_is_refused_with_the_field(entry: Any, error: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Policy.merged("policy of `orders`", entry)

    assert str(refused.value).startswith("policy of `orders`: ")
    assert error in str(refused.value)
