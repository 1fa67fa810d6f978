"""Words for people: the rhythm of a cron expression, and the texts that the UI shows."""

from collections.abc import Sequence

from analytics_assets.config.resource import ResourceConfig
from analytics_assets.config.text.excerpts import first_names

MOST_NAMES = 12  # that a description lists
ALIASES = {
    "@hourly": "hourly",
    "@daily": "daily",
    "@midnight": "daily",
    "@weekly": "weekly",
    "@monthly": "monthly",
    "@yearly": "yearly",
    "@annually": "yearly",
}


def rhythm_of(cron: str) -> str:
    """Return a word for the rhythm of a cron expression.

    Example:
        >>> [rhythm_of(cron) for cron in ("0 6 * * *", "0 7 * * mon-fri", "15 * * * *")]
        ['daily', 'daily', 'hourly']
        >>> [rhythm_of(cron) for cron in ("*/15 * * * *", "0 */4 * * *", "0 6 * * 1", "0 6 1 * *")]
        ['every_few_minutes', 'every_few_hours', 'weekly', 'monthly']
    """
    if cron in ALIASES:
        return ALIASES[cron]
    # of an invalid expression, which Dagster refuses, any word will do
    minute, hour, day, month, weekday = [*cron.split(), *["*"] * 5][:5]
    if month != "*":
        return "yearly"
    if not day.startswith("*"):
        return "monthly"
    if weekday != "*" and not set(weekday) & set(",-/"):
        return "weekly"
    if hour.isdigit():
        return "daily" if minute.isdigit() else "every_few_minutes"
    if not minute.isdigit():
        return "every_few_minutes"
    return "every_few_hours" if set(hour) & set(",/") else "hourly"


def names_of(resources: Sequence[ResourceConfig]) -> str:
    """Return the names of resources, the first of many."""
    return first_names([each.name for each in resources], MOST_NAMES)


def state_of(is_on: bool) -> str:
    """Return the sentence about the state in which a schedule or a sensor starts."""
    if is_on:
        return 'On from the start, by the policy automation: "on".'
    return 'Off until it is switched on here, or by the policy automation: "on".'
