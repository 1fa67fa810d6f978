"""Names of metadata, which the Dagster UI shows as labels.

A load's metadata is read by these names, and that of Dagster's history through `plain_metadata`.
Dagster's own names: https://docs.dagster.io/guides/build/assets/metadata-and-tags
"""

# of a table
ROW_COUNT = "dagster/row_count"
PARTITION_ROW_COUNT = "dagster/partition_row_count"
COLUMN_SCHEMA = "dagster/column_schema"
COLUMN_LINEAGE = "dagster/column_lineage"
TABLE_NAME = "dagster/table_name"
CODE_REFERENCES = "dagster/code_references"
NEWEST_DATA = "newest data"
NEWEST_CHANGE = "newest change"
COLUMNS_WIDENED = "columns widened"
COLUMNS_KEPT = "columns kept"
DROPPED = "dropped"
DROPPED_SINCE = "dropped since"
FORMER_CONFIGURATION = "former configuration"  # by which a part of its rows was read

# of an asset or an endpoint, whatever its loads
ENDPOINT = "endpoint"
PRIMARY_KEY = "primary key"
SCHEDULE = "schedule"
URL = "url"

# of an observation of an endpoint
REACHABLE = "reachable"
CAUSE = "cause"  # why it cannot be read, with the remedy
NOTE = "note"
HTTP_STATUS = "HTTP status"
SECONDS_TO_ANSWER = "seconds to answer"
ROWS_OF_PAGE = "rows on the first page"

# of a load
ROWS_LOADED = "rows loaded"
DURATION = "duration (seconds)"
COMPLETENESS = "completeness"
COMPLETE = "complete"
WINDOW = "window"
LOAD_ID = "load id"
NO_LOAD_ID = "none"  # of a load that wrote nothing
ROWS_EXPECTED = "rows expected"
UNKNOWN = "unknown"  # `ROWS_EXPECTED` if the API gives no total
ROWS_EXTRACTED = "rows extracted"
ROWS_RECEIVED = "rows received"
ROWS_REPEATED = "rows repeated"
ROWS_SUPERSEDED = "rows superseded"
ROWS_ALIKE_BEFORE_STEPS = "rows alike before steps"
ROWS_MARKED_DELETED = "rows marked deleted"
TOMBSTONES_KEPT = "tombstones kept"
DELETED_KEYS = "deleted keys"  # of a load, which no history keeps
ROWS_OF_LOAD = "rows of load"
ROWS_TO_PRUNE = "rows to prune"
ROWS_PRUNED = "rows pruned"
ROWS_DROPPED = "rows dropped"
ROWS_OUTSIDE = "rows outside window"
ROWS_ELSEWHERE = "change of rows elsewhere"  # in partitions that the load has not read
PARENTS_WITHOUT_VALUE = "parents without value"
PASSES = "passes"
PAGES_TYPED = "pages typed"
PAGES_BY_DLT = "pages by dlt"
ANSWERS = "answers"
WINDOWS_HALVED = "windows halved"
WINDOWS_SAMPLED = "windows sampled"
ANSWERS_SAMPLED = "answers sampled"
ANSWERS_THRESHOLDED = "answers thresholded"
ANSWERS_OTHER_ROWS = "answers other rows"
ANSWERS_TRUNCATED = "answers truncated"

# of rows that break the contract
ROWS_REJECTED = "rows rejected"
REJECTION_REASONS = "rejection reasons"
UNKNOWN_FIELDS = "unknown fields"
ABSENT_FIELDS = "absent fields"

# of an incremental load
CURSOR_BEFORE = "cursor before"
CURSOR_AFTER = "cursor after"
CURSOR_START = "cursor start"
CURSOR_LOOKBACK = "cursor lookback"
ROWS_WITHOUT_CURSOR = "rows without cursor"
ROWS_BEFORE_START = "rows before start"
ROWS_YET_TO_COME = "rows yet to come"

# of requests
API = "api"
REQUESTS = "requests"
RETRIES = "retries"
SECONDS_WAITING = "seconds waiting for api"
BYTES_RECEIVED = "bytes received"
SECONDS_EXTRACT = "seconds extract"
SECONDS_NORMALIZE = "seconds normalize"
SECONDS_LOAD = "seconds load"

# of the charts and rows of an asset's page
ROWS_A = "rows a"  # and the period: day, week or month
LARGER = "larger"
ROWS_OF_LAST_LOADS = "rows of the last loads"
SECONDS_OF_LAST_LOADS = "seconds of the last loads"
PREVIEW = "newest rows"
LAST_ROWS = "last loads, rows"
LAST_SECONDS = "last loads, seconds"

DETAILS = "details"  # one entry with all that has none of its own

# of an earlier version of this project, where they are not those of today with underscores
EARLIER = {"newest_updated_at": NEWEST_CHANGE}


def in_words(name: str) -> str:
    """Return the name of today for a metric of a read, or for a name in an older history.

    Args:
        name: such as `rows_loaded`.

    Example:
        >>> in_words("rows_loaded"), in_words("dagster/row_count")
        ('rows loaded', 'dagster/row_count')
    """
    return name if "/" in name else EARLIER.get(name, name.replace("_", " "))
