"""Settings of Dagster's history of runs."""

from typing import ClassVar

from dlt.common.configuration import configspec
from dlt.common.configuration.specs import BaseConfiguration

from analytics_assets.config.errors import SettingsError
from analytics_assets.config.settings.resolution import resolved

FEWEST_DAYS = 7  # alerts look back as far, after a pause; a sensor, for its failures, 3 days


@configspec
class HistorySettings(BaseConfiguration):
    """Settings of the history.

    Args:
        run_days: days for which Dagster's history keeps runs; 0 is for ever.
    """

    run_days: int = 90

    __section__: ClassVar[str] = "history"


def run_days() -> int:
    """Look up the days for which runs are kept; 0 is for ever.

    Raises:
        SettingsError: the number cannot be used.
    """
    days = resolved(HistorySettings()).run_days
    if days and days < FEWEST_DAYS:
        raise SettingsError(
            f"The setting `history.run_days` cannot be {days}: give 0, which keeps runs for ever, "
            f"or {FEWEST_DAYS} days or more, since alerts and sensors read the last ones."
        )
    return days
