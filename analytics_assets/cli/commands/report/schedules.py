"""Schedules of assets, and their switches."""

from collections.abc import Sequence

import dagster as dg

from analytics_assets.cli.commands.report.table_report import ScheduleReport
from analytics_assets.orchestration.automation.switches import automation_state


class SchedulesOf:
    """The schedules of a project by asset.

    Args:
        project: the definitions.
        instance: holds the switches; an ephemeral one does not know them.
    """

    def __init__(self, project: dg.Definitions, instance: dg.DagsterInstance) -> None:
        self._found: dict[dg.AssetKey, list[ScheduleReport]] = {}
        known = () if instance.is_ephemeral else automation_state(instance, project)
        switches = {switch.name: switch.is_on for switch in known}
        repository = project.get_repository_def()
        for schedule in repository.schedule_defs:
            crons = schedule.cron_schedule
            cron = crons if isinstance(crons, str) else " or ".join(crons)
            shown = f"{cron} ({schedule.execution_timezone or 'UTC'})"
            report = ScheduleReport(schedule.name, shown, switches.get(schedule.name))
            for key in repository.get_job(schedule.job_name).asset_layer.executable_asset_keys:
                self._found.setdefault(key, []).append(report)

    def of(self, asset: dg.AssetKey) -> Sequence[ScheduleReport]:
        """Return the schedules that load an asset."""
        return self._found.get(asset, ())
