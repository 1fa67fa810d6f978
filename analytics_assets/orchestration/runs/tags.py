"""Run tags: the readable ones that every run has, partition ranges, and priorities.

The UI does not show tags that begin with `.dagster/`.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence

import dagster as dg

from analytics_assets.config.resource import LOAD_HEALTH
from analytics_assets.config.text.excerpts import first_names
from analytics_assets.orchestration.keys import api_name_of

# each run has these; Dagster 1.13 deprecates spaces in their names
API = "api"
REQUESTED_BY = "requested_by"
RESOURCES = "resources"
WINDOW = "window"  # the partitions, if it has any

MOST_NAMES = 5  # that a tag lists

COMMAND_LINE = "command line"  # requests the runs of `analytics-assets materialize`
LAUNCHED_BY = "user"  # Dagster's tag for the column "Launched by" of the list of runs
# Dagster's tag by which the page of a job finds its runs: a process outside of a code location,
# such as the command line's, has none. The location is that of workspace.yaml
LOCATION, LOCATION_OF_PROJECT = ".dagster/repository", "__repository__@analytics_assets"

# Dagster 1.13 takes a run with both tags for one over a range of partitions
RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
PARTITION = "dagster/partition"
# orders the run queue, and steps that wait for a slot of a pool
PRIORITY = "dagster/priority"
BEFORE_BACKFILLS: Mapping[str, str] = {PRIORITY: "1"}
# Dagster's own tags by which a run was requested
SCHEDULE_TAG, SENSOR_TAG = "dagster/schedule_name", "dagster/sensor_name"
OTHERS = {"dagster/backfill": "backfill", "dagster/from_ui": "Dagster UI"}

# of this process, whose steps have the run as it was at its start; tags are stored with all of it
_recorded = deque[str](maxlen=16)


def run_tags(
    requested_by: str, assets: Iterable[dg.AssetKey], window: Sequence[str] = ()
) -> dict[str, str]:
    """Return the tags of a run.

    Args:
        requested_by: the schedule, the sensor or the person.
        assets: the assets that it makes.
        window: its partitions, which are consecutive.

    Example:
        >>> run_tags("shop_daily", [dg.AssetKey(["shop", "orders"])])
        {'requested_by': 'shop_daily', 'api': 'shop', 'resources': 'orders'}
        >>> run_tags("shop_daily", [], ["2026-01-01", "2026-01-02"])["window"]
        '2026-01-01 to 2026-01-02'
    """
    tags = {REQUESTED_BY: requested_by, **_asset_tags(assets)}
    return {**tags, **(_window_tags(window[0], window[-1]) if window else {})}


def command_line_tags(assets: Iterable[dg.AssetKey], window: Sequence[str] = ()) -> dict[str, str]:
    """Return the tags of a run of the command line.

    Args:
        assets: the assets that it makes.
        window: its partitions, which are consecutive.
    """
    hidden = {LOCATION: LOCATION_OF_PROJECT}
    return {**run_tags(COMMAND_LINE, assets, window), LAUNCHED_BY: COMMAND_LINE, **hidden}


def missing_tags(run: dg.DagsterRun) -> dict[str, str]:
    """Return the readable tags that a run lacks, which somebody else has requested.

    Args:
        run: a run of the UI, of a backfill, or of Dagster's own command line.
    """
    if REQUESTED_BY in run.tags:
        return {}
    checked = [check.asset_key for check in run.asset_check_selection or ()]
    assets = sorted({*(run.asset_selection or ()), *checked})
    by_name = [run.tags[tag] for tag in (SCHEDULE_TAG, SENSOR_TAG) if tag in run.tags]
    others = [name for tag, name in OTHERS.items() if tag in run.tags]
    tags = {REQUESTED_BY: [*by_name, *others, "Dagster"][0], **_asset_tags(assets)}
    first = run.tags.get(RANGE_START, run.tags.get(PARTITION))
    if first:
        tags[WINDOW] = _window_name(first, run.tags.get(RANGE_END, first))
    return tags


def record_tags(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """Store the readable tags of a run of the UI or of a backfill; each of its steps does so first.

    Args:
        instance: holds the run.
        run: the run of this process, as it was at its start.
    """
    if run.run_id not in _recorded and (missing := missing_tags(run)):
        instance.add_run_tags(run.run_id, missing)
        _recorded.append(run.run_id)


def may_concern(run: dg.DagsterRun, api: str) -> bool:
    """Return False for a run whose tags say that it is for other APIs only.

    Args:
        run: a run, which has no tags before it has begun if somebody else has requested it.
        api: the API.
    """
    return REQUESTED_BY not in run.tags or api in run.tags.get(API, api).split(", ")


def range_tags(keys: Sequence[str]) -> Mapping[str, str]:
    """Return the tags by which Dagster finds the consecutive partitions of a run."""
    return {RANGE_START: keys[0], RANGE_END: keys[-1]}


def range_name(keys: Sequence[str]) -> str:
    """Return the name of consecutive partitions.

    Example:
        >>> range_name(["2026-01-01", "2026-01-02"])
        '2026-01-01 to 2026-01-02'
    """
    return _window_name(keys[0], keys[-1])


def _asset_tags(assets: Iterable[dg.AssetKey]) -> dict[str, str]:
    """Return the tags with the APIs and the names of some assets, the first of many."""
    keys = list(assets)
    if not keys:
        return {}
    names = [key.path[-1] for key in keys if key.path[-1] != LOAD_HEALTH] or [LOAD_HEALTH]
    return {
        API: ", ".join(sorted({api_name_of(key) for key in keys})),
        RESOURCES: first_names(names, MOST_NAMES),
    }


def _window_tags(first: str, last: str) -> dict[str, str]:
    return {WINDOW: _window_name(first, last), **range_tags([first, last])}


def _window_name(first: str, last: str) -> str:
    return first if first == last else f"{first} to {last}"
