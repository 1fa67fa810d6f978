"""The command `state`: cursors and loaded partitions, from one place to another."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click
import dagster as dg

from analytics_assets.cli.commands.state.changes import Changes, changes_of
from analytics_assets.cli.commands.state.collection import state_of, states_of
from analytics_assets.cli.commands.state.document import StateFileError, read, written
from analytics_assets.cli.instance import open_instance
from analytics_assets.cli.project import (
    all_resources,
    load_apis,
    select_resources,
    takes_resources,
)
from analytics_assets.cli.terminal import echo, errors_as_messages
from analytics_assets.config.errors import did_you_mean
from analytics_assets.config.load import Partitioned
from analytics_assets.config.resource import ResourceConfig
from analytics_assets.config.text.quantities import count
from analytics_assets.orchestration.partitions.takeover import record_noted
from analytics_assets.warehouse.queries.stored_state import store_state
from analytics_assets.warehouse.queries.tables import Tables, open_tables
from analytics_assets.warehouse.warehouse import Warehouse


@click.group()
def state() -> None:
    """Move cursors and loaded partitions to another warehouse or Dagster instance.

    A new Dagster instance over the same warehouse needs none of it: it takes over what is loaded.
    """


@state.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@takes_resources
def export_state(file: Path, resources: tuple[str, ...]) -> None:
    """Write cursors and loaded partitions into FILE.

    It has no row and no secret: times, counts, and what dlt keeps of each resource.
    """
    with errors_as_messages():
        selected, now = select_resources(load_apis(), resources), datetime.now(UTC)
        with open_instance() as instance, _opened(selected) as tables:
            states = states_of(instance, tables, selected, now)
        file.write_text(written(states, now))
    for name, each in states.items():
        parts = [count(len(each.partitions), "loaded partition")] if each.partitions else []
        echo(f"{name}: {', '.join([*parts, *(['state'] if each.state else [])])}")
    echo(f"Wrote {file}: {count(len(states), 'resource')} of {len(selected)} with a state.")


@state.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@takes_resources
@click.option("--dry-run", is_flag=True, help="Show the changes; make none.")
def import_state(file: Path, resources: tuple[str, ...], dry_run: bool) -> None:
    """Take the cursors and loaded partitions of FILE over, for tables that are here.

    Nothing is changed unless all of it fits: a table and its child tables must have as many rows as
    at the export, and a resource the same load and key. What is newer here stays, so that a second
    import of the same file changes nothing.
    """
    logging.getLogger("dlt").setLevel(logging.ERROR)
    with errors_as_messages():
        apis, states, now = load_apis(), read(file), datetime.now(UTC)
        known = {each.full_name: each for each in all_resources(apis)}
        wanted = {each.full_name for each in select_resources(apis, resources)}
        for name in states:
            if name not in known and not resources:
                raise StateFileError(
                    f"{file} has the state of {name}, which this project does not have"
                    f"{did_you_mean(name, known)} Name the resources to import."
                )
        chosen = [known[name] for name in states if name in wanted]
        with open_instance() as instance:
            with _opened(chosen) as tables:
                found = [
                    changes_of(
                        each,
                        states[each.full_name],
                        state_of(instance, tables[each.api_name], each, now),
                    )
                    for each in chosen
                ]
            for line in [line for each in found for line in each.lines]:
                echo(line)
            if dry_run:
                echo("Nothing was changed, by --dry-run.")
                return
            for each in found:
                _store(each)
            recorded = _record(instance, chosen, now)
    changed = sum(each.state is not None or bool(each.partitions) for each in found)
    echo(
        f"Imported {count(changed, 'resource')}; {count(recorded, 'partition')} "
        f"recorded in Dagster's history."
    )


@contextmanager
def _opened(resources: Sequence[ResourceConfig]) -> Iterator[Mapping[str, Tables]]:
    with ExitStack() as stack:
        names = dict.fromkeys(each.api_name for each in resources)
        yield {name: stack.enter_context(Warehouse.from_settings(name).open()) for name in names}


def _store(changes: Changes) -> None:
    """Make the changes in the warehouse, while nobody loads the table."""
    resource = changes.resource
    if changes.state is None and not changes.partitions:
        return
    warehouse = Warehouse.from_settings(resource.api_name)
    with warehouse.loading(resource.pipeline_name, table=resource.table) as pipeline:
        with open_tables(pipeline) as tables:
            tables.loaded_partitions(resource).store(changes.partitions)
        if changes.state is not None:
            store_state(pipeline, resource.name, changes.state)


def _record(
    instance: dg.DagsterInstance, resources: Sequence[ResourceConfig], now: datetime
) -> int:
    """Record the loaded partitions that Dagster's history does not have; return their number."""
    partitioned = [each for each in resources if isinstance(each.policy.load, Partitioned)]
    with _opened(partitioned) as tables:
        return sum(
            len(record_noted(instance, tables[each.api_name], each, now)) for each in partitioned
        )
