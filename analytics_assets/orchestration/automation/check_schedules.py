"""Schedules of checks alone, which look at whole tables: after a load, some look at it alone."""

from collections import defaultdict
from collections.abc import Callable, Sequence

import dagster as dg

from analytics_assets.config.api import Api
from analytics_assets.config.errors import ConfigurationError
from analytics_assets.contract.resource import Resource
from analytics_assets.orchestration.automation.schedules import cron_refused, free_name, spelled
from analytics_assets.orchestration.automation.words import names_of
from analytics_assets.orchestration.checks.definitions import partly_checked
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.orchestration.runs.materializations import newest_of_assets
from analytics_assets.orchestration.runs.tags import run_tags

CHECKS = "checks"  # behind the name of the API


def build_check_schedules(
    api: Api, resources: Sequence[Resource], others: Sequence[dg.ScheduleDefinition]
) -> list[dg.ScheduleDefinition]:
    """Build the schedules of the checks that look at a part of a table after a load.

    They are on from the start, whatever loads the tables: these checks ask no API.

    Args:
        api: the API; its name begins the names of the schedules.
        resources: its resources, in the order of `api.py`.
        others: the other schedules of the API, whose names are taken.

    Returns:
        A schedule per cron expression and time zone, with a job of the same name.

    Raises:
        ConfigurationError: a cron expression is invalid; the message names a resource.
    """
    groups: dict[tuple[str, str], list[Resource]] = defaultdict(list)
    for resource in resources:
        if partly_checked(resource):
            policy = resource.policy
            groups[spelled(policy.check_schedule), policy.timezone].append(resource)
    names, schedules = {each.name for each in others}, list[dg.ScheduleDefinition]()
    for (cron, timezone), group in groups.items():
        name = free_name(f"{api.name}_{CHECKS}", names)
        names.add(name)
        schedules.append(_build_schedule(name, cron, timezone, group))
    return schedules


def _build_schedule(
    name: str, cron: str, timezone: str, resources: Sequence[Resource]
) -> dg.ScheduleDefinition:
    keys = [key for resource in resources for key in partly_checked(resource)]
    checks = f"Checks the whole tables of {names_of(resources)}, without a load."
    try:
        return dg.ScheduleDefinition(
            name=name,
            job=dg.define_asset_job(
                name=name, selection=dg.AssetSelection.checks(*keys), description=checks
            ),
            cron_schedule=cron,
            execution_timezone=timezone,
            description=f"{checks} On from the start.",
            execution_fn=_run_request(name, resources),
            default_status=dg.DefaultScheduleStatus.RUNNING,
        )
    except dg.DagsterInvalidDefinitionError as error:
        message = cron_refused(resources[0], "check_schedule", cron)
        raise ConfigurationError(message) from error


def _run_request(
    name: str, resources: Sequence[Resource]
) -> Callable[[dg.ScheduleEvaluationContext], dg.RunRequest | dg.SkipReason]:
    """Return a function that requests a run for the tables that were ever loaded."""

    def request(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        known = newest_of_assets(context.instance, [asset_key(each) for each in resources])
        loaded = [each for each in resources if asset_key(each) in known]
        if not loaded:
            return dg.SkipReason(f"None of the tables was ever loaded: {names_of(resources)}.")
        return dg.RunRequest(
            asset_selection=[],
            asset_check_keys=[key for resource in loaded for key in partly_checked(resource)],
            tags=run_tags(name, [asset_key(resource) for resource in loaded]),
        )

    return request
