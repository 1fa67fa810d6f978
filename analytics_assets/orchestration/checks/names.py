"""Names of checks that others than their definitions know."""

CONTRACT_DRIFT = "contract_drift"
COLUMNS_UNCHANGED = "columns_unchanged"
NO_REJECTED_ROWS = "no_rejected_rows"
NEWEST_DATA = "newest_data"
NEWEST_PARTITION = "newest_partition"

OF_FRESHNESS = (NEWEST_DATA, NEWEST_PARTITION)
