"""Names of metadata: words, the same for all that reads and counts them."""

import pytest

from analytics_assets.extract import entry, reading
from analytics_assets.extract.children import parent_rows
from analytics_assets.extract.incremental import cursor, cursor_values, window_check
from analytics_assets.orchestration.metadata import names
from analytics_assets.orchestration.metadata.names import in_words

NAMES = {name: value for name, value in vars(names).items() if name.isupper()}


def test_no_name_has_an_underscore_and_none_is_that_of_another() -> None:
    labels = [value for value in NAMES.values() if isinstance(value, str)]

    assert not [each for each in labels if "_" in each and not each.startswith("dagster/")]
    assert len(labels) == len({*labels})


@pytest.mark.parametrize(
    ("metric", "name"),
    [
        (entry.ROWS_REPEATED, names.ROWS_REPEATED),
        (entry.ROWS_SUPERSEDED, names.ROWS_SUPERSEDED),
        (entry.ROWS_ALIKE_BEFORE_STEPS, names.ROWS_ALIKE_BEFORE_STEPS),
        (reading.PAGES_TYPED, names.PAGES_TYPED),
        (reading.PAGES_BY_DLT, names.PAGES_BY_DLT),
        (parent_rows.PARENTS_WITHOUT_VALUE, names.PARENTS_WITHOUT_VALUE),
        (window_check.ROWS_OUTSIDE, names.ROWS_OUTSIDE),
        (cursor.BEFORE, names.CURSOR_BEFORE),
        (cursor.AFTER, names.CURSOR_AFTER),
        (cursor.STARTED, names.CURSOR_START),
        (cursor.LOOKBACK, names.CURSOR_LOOKBACK),
        (cursor_values.ROWS_WITHOUT_CURSOR, names.ROWS_WITHOUT_CURSOR),
        (cursor_values.ROWS_BEFORE_START, names.ROWS_BEFORE_START),
        (cursor_values.ROWS_YET_TO_COME, names.ROWS_YET_TO_COME),
    ],
)
def test_a_count_of_a_read_has_its_name_in_words(metric: str, name: str) -> None:
    assert in_words(metric) == name
