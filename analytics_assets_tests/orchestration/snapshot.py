"""The definitions of a project as plain values: what Dagster shows and does, and no more."""

from collections.abc import Iterable
from typing import Any

import dagster as dg

KIND = "dagster/kind/"


def snapshot_of(definitions: dg.Definitions) -> dict[str, Any]:
    """Return the assets, checks, jobs, schedules, sensors and the rest of some definitions."""
    repository = definitions.get_repository_def()
    graph = definitions.resolve_asset_graph()
    assets = sorted(graph.get_all_asset_keys())
    return {
        "assets": {key.to_user_string(): _asset(graph, key) for key in assets},
        "jobs": {
            job.name: {
                "assets": _names(job.asset_layer.selected_asset_keys),
                "checks": len(job.asset_layer.asset_graph.asset_check_keys),
                "executor": job.executor_def.name,
            }
            for job in repository.get_all_jobs()
            if not job.name.startswith("__")
        },
        "schedules": {
            schedule.name: {
                "cron": schedule.cron_schedule,
                "timezone": schedule.execution_timezone,
                "job": schedule.job_name,
                "tags": dict(schedule.tags),
                "status": schedule.default_status.value,
                "description": schedule.description,
            }
            for schedule in repository.schedule_defs
        },
        "sensors": {
            sensor.name: {
                "seconds": sensor.minimum_interval_seconds,
                "status": sensor.default_status.value,
                "description": sensor.description,
                "assets": str(sensor.asset_selection or ""),
            }
            for sensor in repository.sensor_defs
        },
        "executor": getattr(definitions.executor, "name", ""),
        "resources": sorted(definitions.resources or {}),
    }


def _asset(graph: Any, key: dg.AssetKey) -> dict[str, Any]:
    node = graph.get(key)
    checks = {each.name: graph.get_check_spec(each) for each in node.check_keys}
    values = {
        "description": node.description,
        "deps": _names(node.parent_keys),
        "group": node.group_name,
        "kinds": sorted(node.kinds),
        "tags": {name: value for name, value in node.tags.items() if not name.startswith(KIND)},
        "owners": list(node.owners),
        "code_version": node.code_version,
        "freshness": _freshness(node.freshness_policy),
        "partitions": _partitions(node.partitions_def),
        "partitions_in_a_run": getattr(node.backfill_policy, "max_partitions_per_run", None),
        "pools": sorted(node.pools or ()) if node.is_materializable else [],
        "metadata": {name: _metadata(value) for name, value in sorted(node.metadata.items())},
        "checks": {
            name: f"{checks[name].description}{' Blocking.' if checks[name].blocking else ''}"
            for name in sorted(checks)
        },
    }
    return {name: value for name, value in values.items() if value not in (None, {}, [], "")}


def _names(keys: Iterable[dg.AssetKey]) -> list[str]:
    return sorted(key.to_user_string() for key in keys)


def _freshness(policy: Any) -> str | None:
    return f"fails after {policy.fail_window.to_timedelta()}" if policy else None


def _partitions(partitions: Any) -> dict[str, Any] | None:
    if partitions is None:
        return None
    return {
        "cron": partitions.cron_schedule,
        "start": partitions.start.isoformat(),
        "timezone": partitions.timezone,
        "format": partitions.fmt,
        "end_offset": partitions.end_offset,
    }


def _metadata(value: Any) -> Any:
    value = getattr(value, "value", value)
    if isinstance(value, dg.TableSchema):
        return {
            column.name: " ".join(
                [
                    column.type,
                    *([] if column.constraints.nullable else ["not null"]),
                    *([f"({column.description})"] if column.description else []),
                ]
            )
            for column in value.columns
        }
    if isinstance(value, dg.TableColumnLineage):
        return {
            column: ", ".join(
                f"{each.asset_key.to_user_string()} {each.column_name}" for each in deps
            )
            for column, deps in value.deps_by_column.items()
        }
    if isinstance(value, dg.CodeReferencesMetadataValue):
        # the folder and the line are those of this machine and of today
        return [str(getattr(each, "label", "")) for each in value.code_references]
    return value if isinstance(value, str | int | float | bool | list | dict) else repr(value)
