"""The options `--from` and `--to`: a range of partitions to load, whether or not they are due."""

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Any

import click

from analytics_assets.config.load import Partitioned
from analytics_assets.config.resource import ResourceConfig
from analytics_assets.config.text.excerpts import first_names
from analytics_assets.orchestration.partitions.chosen import PartitionRangeError, chosen_runs
from analytics_assets.orchestration.partitions.due import DueRun

FIRST, LAST = "--from", "--to"
MOST_NAMES = 5  # that an error lists


def takes_range(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options, as the arguments `first` and `last` of a command."""
    of_first = "Load partitions again from this one on: a day, or a key such as 2026-01."
    of_last = f"With {FIRST}: the last of them; without it the newest."
    command = click.option(LAST, "last", metavar="PARTITION", help=of_last)(command)
    return click.option(FIRST, "first", metavar="PARTITION", help=of_first)(command)


def partitioned_resources(
    selected: Sequence[ResourceConfig], named: Collection[str]
) -> list[ResourceConfig]:
    """Return the resources that have partitions.

    Args:
        selected: the resources that the command has selected.
        named: the names of single resources that the command was given.

    Raises:
        click.BadParameter: a named one has no partitions, or none has.
    """
    found = [each for each in selected if isinstance(each.policy.load, Partitioned)]
    others = [
        each.full_name
        for each in selected
        if each not in found and {each.name, each.full_name} & {*named}
    ]
    if others:
        names = first_names(others, MOST_NAMES)
        raise click.BadParameter(
            f"`{FIRST}` loads partitions, and {names} {'has' if len(others) == 1 else 'have'} none."
        )
    if not found:
        raise click.BadParameter(f"`{FIRST}` loads partitions, and nothing selected has any.")
    return found


def runs_in_range(
    resources: Sequence[ResourceConfig], first: str | None, last: str | None
) -> list[DueRun]:
    """Return the runs that load a range of partitions.

    Args:
        resources: the resources, which have partitions.
        first: the value of `--from`.
        last: the value of `--to`.

    Raises:
        click.UsageError: there is no `--from`.
        click.BadParameter: a resource has not all of the range, or it is no range.
    """
    if first is None:
        raise click.UsageError(f"`{LAST}` ends a range: give `{FIRST}`, too.")
    try:
        return chosen_runs(resources, first, last, datetime.now(UTC))
    except PartitionRangeError as error:
        refusal = str(error)
    raise click.BadParameter(refusal)  # with the error as its context, the exit code would be 1
