"""Run config of a load, as the launchpad of the Dagster UI offers it."""

from datetime import UTC, datetime
from enum import Enum

import dagster as dg
from pydantic import Field

from analytics_assets.config.errors import AnalyticsAssetsError
from analytics_assets.config.load import Incremental, Partitioned
from analytics_assets.config.times.timestamps import parse_timestamp
from analytics_assets.contract.resource import Resource
from analytics_assets.extract.incremental.cursor import Cursor


class RunConfigError(AnalyticsAssetsError):
    """The config of a run is invalid; nothing was touched."""


class Refresh(Enum):
    """Parts to drop for a fresh start, by dlt's names."""

    nothing = "nothing"
    drop_state = "drop_state"
    drop_data = "drop_data"


class LoadConfig(dg.Config):
    """Settings of one run that differ from the policy of its resource.

    https://docs.dagster.io/guides/operate/configuration/run-configuration
    """

    full_refresh: bool = Field(
        default=False,
        description="Read an incremental resource from its `initial_value` on again. No row of "
        "the table is dropped.",
    )
    start: str | None = Field(
        default=None,
        description="Read an incremental resource from this date or time on, such as "
        "'2026-01-31' or '2026-01-31T12:00:00Z'; UTC if it names no time zone.",
    )
    refresh: Refresh = Field(
        default=Refresh.nothing,
        description="`drop_state`: delete the state of earlier loads, such as the cursor, and the "
        "configuration by which they have read. "
        "`drop_data`: delete also the rows that this run does not bring, after it has brought all "
        "others; of a partitioned resource only rows of the chosen partitions.",
    )
    confirm: str = Field(default="", description="The name of the table, to confirm `refresh`.")

    @property
    def begins_anew(self) -> bool:
        """True if the state of earlier loads is dropped."""
        return self.full_refresh or self.refresh is not Refresh.nothing

    @property
    def forgets_configurations(self) -> bool:
        """True if all that is in the table counts as read by the configuration of today."""
        return self.refresh is Refresh.drop_state

    @property
    def drops_data(self) -> bool:
        """True if rows that the run does not bring are deleted."""
        return self.refresh is Refresh.drop_data

    def validate_for(self, resource: Resource) -> None:
        """Refuse settings that contradict each other or the resource.

        Args:
            resource: the resource to load.

        Raises:
            RunConfigError: a setting is invalid; the message says what to choose.
        """
        table, load = resource.table, resource.policy.load
        if self.refresh is not Refresh.nothing and self.confirm.strip() != table:
            raise RunConfigError(
                f"`refresh: {self.refresh.name}` has to be confirmed by the name of the table: set "
                f"`confirm: {table}`; it is {self.confirm!r}. Nothing was touched."
            )
        if self.start is not None:
            self._check_start(load)
        if isinstance(load, Partitioned) and self.full_refresh:
            raise RunConfigError(
                f"`{resource.name}` is loaded by partitions: choose those to load again in "
                "place of `full_refresh`. Nothing was touched."
            )
        if self.drops_data and not resource.rewrites_rows:
            raise RunConfigError(
                f"`refresh: drop_data` is not possible, as a load of `{resource.name}` does not "
                "write unchanged rows again, so that they would be deleted. Nothing was touched."
            )

    def _check_start(self, load: object) -> None:
        moment = parse_timestamp(self.start)
        if not isinstance(load, Incremental):
            raise RunConfigError(
                f"`start` is for `Incremental` resources, and not for "
                f"`{type(load).__name__}` ones. Leave it out."
            )
        if self.begins_anew:
            raise RunConfigError(
                "`start` and a fresh start by `full_refresh` or `refresh` exclude each other. "
                "Leave one out."
            )
        if moment is None or moment > datetime.now(UTC):
            raise RunConfigError(
                f"`start` is {self.start!r}; give a date or a time in the past, such as "
                "'2026-01-31' or '2026-01-31T12:00:00Z'."
            )


def cursor_of(resource: Resource, config: LoadConfig) -> Cursor | None:
    """Return the cursor of a resource with an `Incremental` load, else None.

    Args:
        resource: the resource.
        config: the config of the run.
    """
    load = resource.policy.load
    if not isinstance(load, Incremental):
        return None
    return Cursor(load, resource.contract, parse_timestamp(config.start), config.begins_anew)
