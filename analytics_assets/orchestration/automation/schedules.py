"""When resources are loaded: one schedule, and one job, for all that share a cron expression.

The runs of a job all cover the same partitions, so that resources with other partitions, and those
without any, have a job of their own.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import dagster as dg

from analytics_assets.config.api import Api
from analytics_assets.config.errors import ConfigurationError
from analytics_assets.config.load import Load, Partitioned
from analytics_assets.config.policy import Policy
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.orchestration.partitions.definition import (
    due_partitions,
    in_words,
    range_tags,
)
from analytics_assets.orchestration.runs.priority import BEFORE_BACKFILLS


def build_schedules(api: Api) -> list[dg.ScheduleDefinition]:
    """Make the schedules that the policies ask for, equal ones as one.

    Args:
        api: the API.

    Returns:
        A schedule per pair of cron expression and time zone, and among those of partitioned
        resources per set of partitions, each with a job for its resources and their checks.

    Raises:
        ConfigurationError: a cron expression cannot be; the message names the resources.
    """
    resources: dict[_Timing, list[str]] = defaultdict(list)
    for resource in api.resources:
        policy = api.policy(resource)
        cron = " ".join(policy.schedule.lower().split())  # one schedule however it is written
        resources[_Timing.of(cron, policy)].append(resource)
    # a name stays what it was when partitions come to begin elsewhere, and so does its switch
    alike = Counter(timing.briefly for timing in resources)
    return [
        _build_schedule(
            api, timing.briefly if alike[timing.briefly] == 1 else timing.at_length, timing, names
        )
        for timing, names in sorted(resources.items())
    ]


@dataclass(frozen=True, order=True)
class _Timing:
    """When resources are loaded, and by which partitions; `by` is empty if there are none."""

    cron: str
    timezone: str
    by: str
    partitions: str

    @classmethod
    def of(cls, cron: str, policy: Policy) -> "_Timing":
        by = policy.load.by if isinstance(policy.load, Partitioned) else ""
        return cls(cron, policy.timezone, by, _partitions_in_letters(policy.load))

    @property
    def briefly(self) -> str:
        words = ["cron", _cron_in_letters(self.cron)]
        if self.timezone != "UTC":
            words.append(_zone_in_letters(self.timezone))
        if self.by:
            words.append(f"by_{self.by}")
        return "_".join(words)

    @property
    def at_length(self) -> str:
        return f"{self.briefly}_{self.partitions}" if self.partitions else self.briefly


def _build_schedule(
    api: Api, timing_in_letters: str, timing: _Timing, resources: list[str]
) -> dg.ScheduleDefinition:
    name = f"{api.name}_{timing_in_letters}"
    listed = ", ".join(resources)
    partitioned = bool(timing.by)
    what = f"the newest partitions of {listed}" if partitioned else listed
    try:
        return dg.ScheduleDefinition(
            name=name,
            job=dg.define_asset_job(
                name=f"{name}_job",
                selection=dg.AssetSelection.assets(*(asset_key(api, name) for name in resources)),
                description=f"Loads {listed}.",
            ),
            cron_schedule=timing.cron,
            execution_timezone=timing.timezone,
            description=f"Loads {what} at `{timing.cron}` ({timing.timezone}).",
            execution_fn=_requests(api, resources) if partitioned else None,
            tags=None if partitioned else BEFORE_BACKFILLS,
        )
    except dg.DagsterInvalidDefinitionError as error:
        raise ConfigurationError(
            f"policy of {listed}: `schedule` is {timing.cron!r}, which is not a cron expression "
            "such as '0 6 * * *' (minute, hour, day of month, month, day of week)."
        ) from error


def _requests(
    api: Api, resources: Sequence[str]
) -> Callable[[dg.ScheduleEvaluationContext], Iterator[dg.RunRequest | dg.SkipReason]]:
    """Make what asks for a run over the partitions that are due, one for all with the same."""

    def request(
        context: dg.ScheduleEvaluationContext,
    ) -> Iterator[dg.RunRequest | dg.SkipReason]:
        together: dict[tuple[str, ...], list[dg.AssetKey]] = defaultdict(list)
        for resource in resources:
            load = api.policy(resource).load
            assert isinstance(load, Partitioned), "those without partitions have another schedule"
            due = due_partitions(load, context.scheduled_execution_time)
            together[tuple(due)].append(asset_key(api, resource))
        together.pop((), None)  # those whose first partition is yet to come
        if not together:
            yield dg.SkipReason("There is no partition yet.")
        for due, assets in together.items():
            tags = {**range_tags(due), **BEFORE_BACKFILLS}
            yield dg.RunRequest(in_words(due), asset_selection=assets, tags=tags)

    return request


def _partitions_in_letters(load: Load) -> str:
    """Spell which partitions a load has, alike for loads with the same ones."""
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

    Different expressions stay different; trailing stars say nothing, as there are always five.
    """
    words = re.sub(r"( \*)+$", "", cron).replace("*", "every")
    return _in_letters(words.replace("/", " by ").replace("-", " to ").replace(",", " and "))


def _in_letters(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_").lower()
