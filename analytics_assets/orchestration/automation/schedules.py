"""Schedules: one, with one job, for all resources of an API that are loaded at the same times.

All assets of a run have the same partitions, so that resources with other partitions, and those
without any, have a schedule of their own.
"""

from collections import defaultdict
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import dagster as dg

from analytics_assets.config.api import Api
from analytics_assets.config.errors import ConfigurationError, did_you_mean
from analytics_assets.config.load import Partitioned
from analytics_assets.config.policy import Policy, PolicyEntry
from analytics_assets.config.resource import ResourceConfig
from analytics_assets.orchestration.automation.words import names_of, rhythm_of, state_of
from analytics_assets.orchestration.keys import asset_key, load_health_key
from analytics_assets.orchestration.partitions.definition import (
    due_windows,
    partitioned,
    partitions_of,
)
from analytics_assets.orchestration.runs.tags import BEFORE_BACKFILLS, range_name, run_tags

CRON_WORDS = ("@hourly", "@daily", "@weekly", "@monthly", "@yearly")
PARTITIONS = "partitions"  # ends the names of schedules of partitioned resources


def build_schedules(api: Api, resources: Sequence[ResourceConfig]) -> list[dg.ScheduleDefinition]:
    """Build the schedules of the policies, equal ones as one.

    A schedule is named after its API and the rhythm of its loads, so that it keeps its name, and
    with it its switch, if the hour changes. Further ones of the same rhythm have a number: the one
    of the default policy has none, the others follow in the order of `api.py`.

    Args:
        api: the API; its name begins the names of the schedules.
        resources: its resources, in the order of `api.py`.

    Returns:
        A schedule per cron expression, time zone, `schedule_name` and `automation`, and among
        partitioned resources per set of partitions, each with a job of the same name for its
        resources and their checks.

    Raises:
        ConfigurationError: a cron expression is invalid, or resources with the same `schedule_name`
            are loaded at different times; the message names the resources.
    """
    return [
        _build_schedule(api, name, group.timing, group.resources)
        for name, group in schedules_of(api, resources).items()
    ]


class Group(NamedTuple):
    """The resources of a schedule.

    Args:
        timing: the time of their loads.
        resources: the resources.
    """

    timing: "_Timing"
    resources: Sequence[ResourceConfig]

    @property
    def cron(self) -> str:
        """The cron expression of the schedule."""
        return self.timing.cron

    @property
    def is_on(self) -> bool:
        """True if the schedule is on from the start."""
        return self.timing.automation == "on"


def schedules_of(api: Api, resources: Sequence[ResourceConfig]) -> dict[str, Group]:
    """Return the resources of each schedule by its name.

    Args:
        api: the API.
        resources: its resources, in the order of `api.py`.

    Raises:
        ConfigurationError: resources with the same `schedule_name` are loaded at different times.
    """
    groups: dict[_Timing, list[ResourceConfig]] = defaultdict(list)
    for resource in resources:
        groups[_Timing.of(resource.policy)].append(resource)
    _refuse_one_name_for_two_times(groups)
    usual = _usual_time(api.default_policy)
    named = dict[str, Group]()
    for timing in sorted(groups, key=lambda timing: (not timing.own_name, timing.time != usual)):
        name = free_name(f"{api.name}_{timing.name}", named)
        named[name] = Group(timing, groups[timing])
    return named


@dataclass(frozen=True)
class _Timing:
    """The time of loads, and their partitions."""

    cron: str
    timezone: str
    own_name: str | None
    automation: str
    partitions: dg.PartitionsDefinition | None

    @classmethod
    def of(cls, policy: Policy) -> "_Timing":
        return cls(
            spelled(policy.schedule),
            policy.timezone,
            policy.schedule_name,
            policy.automation,
            partitions_of(policy.load) if isinstance(policy.load, Partitioned) else None,
        )

    @property
    def name(self) -> str:
        name = self.own_name or rhythm_of(self.cron)
        return f"{name}_{PARTITIONS}" if self.partitions else name

    @property
    def time(self) -> tuple[str, str, str]:
        """Cron expression, time zone and the switch at the start."""
        return self.cron, self.timezone, self.automation


def _usual_time(default: PolicyEntry) -> tuple[str, str, str]:
    """Return the time of the default policy."""
    return (
        spelled(default.get("schedule", Policy.schedule)),
        default.get("timezone", Policy.timezone),
        default.get("automation", Policy.automation),
    )


def spelled(cron: str) -> str:
    """Return the one spelling of a cron expression."""
    return " ".join(cron.lower().split())


def _refuse_one_name_for_two_times(groups: Mapping[_Timing, Sequence[ResourceConfig]]) -> None:
    first: dict[str, tuple[_Timing, ResourceConfig]] = {}
    for timing, resources in groups.items():
        if timing.own_name is None:
            continue
        other, resource = first.setdefault(timing.own_name, (timing, resources[0]))
        for field in ("cron", "timezone", "automation"):
            if getattr(timing, field) != getattr(other, field):
                key = "schedule" if field == "cron" else field
                raise ConfigurationError(
                    f"policy of `{resources[0].name}`: `schedule_name` is {timing.own_name!r}, as "
                    f"in the policy of `{resource.name}`, but `{key}` is "
                    f"{getattr(timing, field)!r} and not {getattr(other, field)!r}. Give both the "
                    f"same `{key}`, or another `schedule_name`."
                )


def free_name(name: str, taken: Container[str]) -> str:
    """Return a name with the first number behind it that makes it another one than those taken."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    return free


def _build_schedule(
    api: Api, name: str, timing: _Timing, resources: Sequence[ResourceConfig]
) -> dg.ScheduleDefinition:
    names, keys = names_of(resources), [asset_key(each) for each in resources]
    loads = f"Loads the newest partitions of {names}." if timing.partitions else f"Loads {names}."
    is_on = timing.automation == "on"
    try:
        return dg.ScheduleDefinition(
            name=name,
            job=dg.define_asset_job(
                name=name,
                selection=dg.AssetSelection.assets(*keys, load_health_key(api.name)),
                description=f"Loads {names}, runs the checks, and records the loads.",
            ),
            cron_schedule=timing.cron,
            execution_timezone=timing.timezone,
            description=f"{loads} {state_of(is_on)}",
            execution_fn=_run_requests(api, name, resources) if timing.partitions else None,
            tags=None if timing.partitions else {**run_tags(name, keys), **BEFORE_BACKFILLS},
            default_status=dg.DefaultScheduleStatus.RUNNING
            if is_on
            else dg.DefaultScheduleStatus.STOPPED,
        )
    except dg.DagsterInvalidDefinitionError as error:
        raise ConfigurationError(cron_refused(resources[0], "schedule", timing.cron)) from error


def cron_refused(resource: ResourceConfig, key: str, cron: str) -> str:
    """Return the message for a policy whose cron expression Dagster refuses."""
    return (
        f"policy of `{resource.name}`: `{key}` is {cron!r}, which is not a cron expression such as "
        f"'0 6 * * *' (minute, hour, day of month, month, day of week)"
        f"{did_you_mean(cron, CRON_WORDS)}"
    )


def _run_requests(
    api: Api, name: str, resources: Sequence[ResourceConfig]
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
            tags = {**run_tags(name, assets, keys), **BEFORE_BACKFILLS}
            selection = [*assets, load_health_key(api.name)]
            yield dg.RunRequest(range_name(keys), asset_selection=selection, tags=tags)

    return request
