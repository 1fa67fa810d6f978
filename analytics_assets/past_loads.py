"""What Dagster remembers of the loads of an asset."""

from collections.abc import Iterator

import dagster as dg

PAGE = 500  # of materializations that are fetched at once


def newest_first(
    instance: dg.DagsterInstance, loads: dg.AssetKey | dg.AssetRecordsFilter
) -> Iterator[tuple[str, dg.AssetMaterialization]]:
    """Go through materializations, each with the id of the run that it is from.

    Args:
        instance: what remembers them.
        loads: the asset, or which of its materializations.
    """
    cursor, more = None, True
    while more:
        found = instance.fetch_materializations(loads, limit=PAGE, cursor=cursor)
        for record in found.records:
            if record.asset_materialization:
                yield record.run_id, record.asset_materialization
        cursor, more = found.cursor, found.has_more
