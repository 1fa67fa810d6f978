"""Schedules: one, with one job, for all resources that share a cron expression.

All assets of a run have the same partitions, so that resources with other partitions, and those
without any, have a job of their own.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import dagster as dg

from analytics_assets.config.errors import ConfigurationError
from analytics_assets.config.load import Load, Partitioned
from analytics_assets.config.policy import Policy
from analytics_assets.config.resource import ResourceConfig
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.orchestration.partitions.definition import (
    due_windows,
    partitioned,
    range_name,
)
from analytics_assets.orchestration.runs.tags import BEFORE_BACKFILLS, range_tags


def build_schedules(
    api_name: str, resources: Sequence[ResourceConfig]
) -> list[dg.ScheduleDefinition]:
    """Build the schedules of the policies, equal ones as one.

    Args:
        api_name: the prefix of the schedules' names.
        resources: the resources of the API.

    Returns:
        A schedule per cron expression and time zone, and among partitioned resources per set of
        partitions, each with a job for its resources and their checks.

    Raises:
        ConfigurationError: a cron expression is invalid; the message names the resources.
    """
    groups: dict[_Timing, list[ResourceConfig]] = defaultdict(list)
    for resource in resources:
        policy = resource.policy
        cron = " ".join(policy.schedule.lower().split())  # one schedule for any spelling
        groups[_Timing.of(cron, policy)].append(resource)
    # the name, and so the switch, of a schedule does not depend on the start of partitions
    alike = Counter(timing.short_name for timing in groups)
    schedules = []
    for timing, group in sorted(groups.items(), key=lambda item: item[0]):
        name = timing.short_name if alike[timing.short_name] == 1 else timing.long_name
        schedules.append(_build_schedule(f"{api_name}_{name}", timing, group))
    return schedules


@dataclass(frozen=True, order=True)
class _Timing:
    """The time of loads, and their partitions; `by` is empty if there are none."""

    cron: str
    timezone: str
    by: str
    partitions: str

    @classmethod
    def of(cls, cron: str, policy: Policy) -> "_Timing":
        by = policy.load.by if isinstance(policy.load, Partitioned) else ""
        return cls(cron, policy.timezone, by, _partitions_in_letters(policy.load))

    @property
    def short_name(self) -> str:
        words = ["cron", _cron_in_letters(self.cron)]
        if self.timezone != "UTC":
            words.append(_zone_in_letters(self.timezone))
        if self.by:
            words.append(f"by_{self.by}")
        return "_".join(words)

    @property
    def long_name(self) -> str:
        return f"{self.short_name}_{self.partitions}" if self.partitions else self.short_name


def _build_schedule(
    name: str, timing: _Timing, resources: list[ResourceConfig]
) -> dg.ScheduleDefinition:
    names = ", ".join(resource.name for resource in resources)
    is_partitioned = bool(timing.by)
    loaded = f"the newest partitions of {names}" if is_partitioned else names
    try:
        return dg.ScheduleDefinition(
            name=name,
            job=dg.define_asset_job(
                name=f"{name}_job",
                selection=dg.AssetSelection.assets(*map(asset_key, resources)),
                description=f"Loads {names}.",
            ),
            cron_schedule=timing.cron,
            execution_timezone=timing.timezone,
            description=f"Loads {loaded} at `{timing.cron}` ({timing.timezone}).",
            execution_fn=_run_requests(resources) if is_partitioned else None,
            tags=None if is_partitioned else BEFORE_BACKFILLS,
        )
    except dg.DagsterInvalidDefinitionError as error:
        raise ConfigurationError(
            f"policy of `{resources[0].name}`: `schedule` is {timing.cron!r}, which is not a cron "
            "expression such as '0 6 * * *' (minute, hour, day of month, month, day of week)."
        ) from error


def _run_requests(
    resources: Sequence[ResourceConfig],
) -> Callable[[dg.ScheduleEvaluationContext], Iterator[dg.RunRequest | dg.SkipReason]]:
    """Return a function that requests a run per window of due partitions, for all that have it."""

    def request(
        context: dg.ScheduleEvaluationContext,
    ) -> Iterator[dg.RunRequest | dg.SkipReason]:
        together: dict[tuple[str, ...], list[dg.AssetKey]] = defaultdict(list)
        for resource in resources:
            for window in due_windows(partitioned(resource), context.scheduled_execution_time):
                together[tuple(window)].append(asset_key(resource))
        if not together:
            yield dg.SkipReason("There is no partition yet.")
        for keys, assets in together.items():
            tags = {**range_tags(keys), **BEFORE_BACKFILLS}
            yield dg.RunRequest(range_name(keys), asset_selection=assets, tags=tags)

    return request


def _partitions_in_letters(load: Load) -> str:
    """Spell the partitions of a load, the same for loads with the same ones."""
    if not isinstance(load, Partitioned):
        return ""
    words = [f"from {load.start}"]
    if load.timezone != "UTC":
        words.append(_zone_in_letters(load.timezone))
    if load.include_unfinished:
        words.append("with the unfinished one")
    return _in_letters(" ".join(words))


def _zone_in_letters(timezone: str) -> str:
    return _in_letters(timezone.replace("+", " plus ").replace("-", " minus "))


def _cron_in_letters(cron: str) -> str:
    """Spell a cron expression in letters that a Dagster name may have.

    Different expressions stay different; trailing stars are left out, as there are always five.
    """
    words = re.sub(r"( \*)+$", "", cron).replace("*", "every")
    return _in_letters(words.replace("/", " by ").replace("-", " to ").replace(",", " and "))


def _in_letters(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_").lower()
