"""What may be chosen for one run in the launchpad of the Dagster UI."""

from datetime import UTC, datetime
from enum import Enum

import dagster as dg
from pydantic import Field

from analytics_assets.config.api import Api
from analytics_assets.config.errors import AnalyticsAssetsError
from analytics_assets.config.load import Incremental, Partitioned
from analytics_assets.config.timestamps import parse_timestamp
from analytics_assets.contract import Contract
from analytics_assets.extract.incremental.cursor import Cursor


class LaunchpadError(AnalyticsAssetsError):
    """What was chosen for a run cannot be."""


class Refresh(Enum):
    """What is dropped for a fresh start, called as in dlt."""

    nothing = "nothing"
    drop_state = "drop_state"
    drop_data = "drop_data"


class LoadConfig(dg.Config):
    """How one run loads a resource otherwise than its policy says. With nothing set, as it says.

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
        description="`drop_state`: forget how far loads have come. `drop_data`: that, and delete "
        "the rows that this run does not bring, once it has brought all others; of a partitioned "
        "resource those of the chosen partitions.",
    )
    confirm: str = Field(
        default="", description="The name of the table, which `refresh` must be confirmed by."
    )

    @property
    def begins_anew(self) -> bool:
        """Whether what earlier loads have noted down is forgotten."""
        return self.full_refresh or self.refresh is not Refresh.nothing

    @property
    def drops_data(self) -> bool:
        """Whether rows that the run does not bring are deleted."""
        return self.refresh is Refresh.drop_data

    def refuse_what_cannot_be(self, api: Api, resource: str) -> None:
        """Refuse what does not go together, or not with the resource.

        Args:
            api: the API.
            resource: the resource to load.

        Raises:
            LaunchpadError: something does not; the message says what to choose.
        """
        table, load = api.table(resource), api.policy(resource).load
        if self.refresh is not Refresh.nothing and self.confirm.strip() != table:
            raise LaunchpadError(
                f"`refresh: {self.refresh.name}` has to be confirmed by the name of the table: set "
                f"`confirm: {table}`; it is {self.confirm!r}. Nothing was touched."
            )
        if self.start is not None:
            self._check_start(load)
        if isinstance(load, Partitioned) and self.full_refresh:
            raise LaunchpadError(
                f"`{resource}` is loaded by partitions: choose those to load again in place of "
                "`full_refresh`. Nothing was touched."
            )
        if self.drops_data and not api.brings_rows_anew(resource):
            raise LaunchpadError(
                f"`refresh: drop_data` cannot be, as a load of `{resource}` does not write the "
                "rows again that are still there, so that they would be deleted. Nothing was "
                "touched."
            )

    def _check_start(self, load: object) -> None:
        moment = parse_timestamp(self.start)
        if not isinstance(load, Incremental):
            raise LaunchpadError(
                f"`start` is for resources whose policy says `Incremental`, and not "
                f"`{type(load).__name__}`. Leave it out."
            )
        if self.begins_anew:
            raise LaunchpadError(
                "`start` and a fresh start by `full_refresh` or `refresh` exclude each other. "
                "Leave one out."
            )
        if moment is None or moment > datetime.now(UTC):
            raise LaunchpadError(
                f"`start` is {self.start!r}; give a date or a time that has been, such as "
                "'2026-01-31' or '2026-01-31T12:00:00Z'."
            )


def cursor_of(api: Api, contract: Contract, config: LoadConfig) -> Cursor | None:
    """Make the cursor of a resource whose policy says `Incremental`.

    Args:
        api: the API.
        contract: the resource.
        config: what was chosen for the run.
    """
    load = api.policy(contract.resource).load
    if not isinstance(load, Incremental):
        return None
    return Cursor(load, contract, parse_timestamp(config.start), config.begins_anew)
