"""When resources are loaded: one schedule, and one job, for all that share a cron expression."""

import re
from collections import defaultdict

import dagster as dg

from analytics_assets.asset_keys import asset_key
from analytics_assets.configuration import Api
from analytics_assets.configuration_error import ConfigurationError


def build_schedules(api: Api) -> list[dg.ScheduleDefinition]:
    """Make the schedules that the policies ask for, equal ones as one.

    Args:
        api: the API.

    Returns:
        A schedule per pair of cron expression and time zone, each with a job for its resources
        and their checks.

    Raises:
        ConfigurationError: a cron expression cannot be; the message names the resources.
    """
    resources: dict[tuple[str, str], list[str]] = defaultdict(list)
    for resource in api.resources:
        policy = api.policy(resource)
        cron = " ".join(policy.schedule.lower().split())  # one schedule however it is written
        resources[cron, policy.timezone].append(resource)
    return [
        _build_schedule(api, cron, timezone, names)
        for (cron, timezone), names in sorted(resources.items())
    ]


def _build_schedule(
    api: Api, cron: str, timezone: str, resources: list[str]
) -> dg.ScheduleDefinition:
    name = f"{api.name}_cron_{_cron_in_letters(cron)}"
    if timezone != "UTC":
        name += "_" + _in_letters(timezone.replace("+", " plus ").replace("-", " minus "))
    listed = ", ".join(resources)
    try:
        return dg.ScheduleDefinition(
            name=name,
            job=dg.define_asset_job(
                name=f"{name}_job",
                selection=dg.AssetSelection.assets(*(asset_key(api, name) for name in resources)),
                description=f"Loads {listed}.",
            ),
            cron_schedule=cron,
            execution_timezone=timezone,
            description=f"Loads {listed} at `{cron}` ({timezone}).",
        )
    except dg.DagsterInvalidDefinitionError as error:
        raise ConfigurationError(
            f"policy of {listed}: `schedule` is {cron!r}, which is not a cron expression such as "
            "'0 6 * * *' (minute, hour, day of month, month, day of week)."
        ) from error


def _cron_in_letters(cron: str) -> str:
    """Spell a cron expression in letters that a Dagster name may have.

    Different expressions stay different; trailing stars say nothing, as there are always five.
    """
    words = re.sub(r"( \*)+$", "", cron).replace("*", "every")
    return _in_letters(words.replace("/", " by ").replace("-", " to ").replace(",", " and "))


def _in_letters(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_").lower()
