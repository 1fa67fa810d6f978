"""The command `export`: describe the tables for other tools."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from analytics_assets.cli.commands.export.dbt import dbt_sources
from analytics_assets.cli.commands.export.files import as_yaml, write_files
from analytics_assets.cli.commands.export.odcs import data_contract
from analytics_assets.cli.commands.export.tables import ExportedTable, describe_tables
from analytics_assets.cli.project import load_apis, select_resources, takes_resources
from analytics_assets.cli.terminal import errors_as_messages
from analytics_assets.contract.resource import resource_of
from analytics_assets.redaction.redactor import redact
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.warehouse import Warehouse

SOURCES = Path("sources.yml")
SUFFIX = ".odcs.yaml"


@click.command()
@click.argument("kind", type=click.Choice(["dbt", "odcs"]))
@takes_resources
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="dbt: the file, or a folder for sources.yml. odcs: the folder. Without it, the text is "
    "printed.",
)
@click.option("--force", is_flag=True, help="Overwrite files that this command has not written.")
@click.option(
    "--contract-only", is_flag=True, help="Describe tables by their contracts, open no warehouse."
)
def export(
    kind: str,
    resources: tuple[str, ...],
    output: Path | None,
    force: bool,
    contract_only: bool,
) -> None:
    """Describe tables for other tools.

    `dbt` makes a sources.yml: a source per API, with columns, data tests, freshness, and the
    asset keys by which dagster-dbt links sources to assets. `odcs` makes a data contract per table
    by the Open Data Contract Standard.

    Tables are described as the warehouse has them; those that are not loaded yet, by their
    contracts.
    """
    with errors_as_messages():
        apis = load_apis()
        selected = [
            resource_of(apis[config.api_name], config.name)
            for config in select_resources(apis, resources)
        ]
        warehouses = {name: Warehouse.from_settings(name) for name in apis}
        try:
            tables = describe_tables(selected, warehouses, contract_only)
        except WarehouseError as error:
            raise WarehouseError(f"{error} Or describe tables by --contract-only.") from error
        files = _dbt(tables) if kind == "dbt" else _odcs(tables)
    for table in tables:
        if not table.columns:
            _note(f"{table.resource.full_name}: no contract, its columns are known once loaded")
    if output is None:
        click.echo("---\n".join(files.values()), nl=False)
        return
    placed = _placed(files, output)
    write_files(placed, force)
    for path in placed:
        _note(f"Wrote {path}")


def _dbt(tables: Sequence[ExportedTable]) -> Mapping[Path, str]:
    return {SOURCES: redact(as_yaml(dbt_sources(tables), "dbt"))}


def _odcs(tables: Sequence[ExportedTable]) -> Mapping[Path, str]:
    return {
        Path(f"{table.resource.api_name}.{table.name}{SUFFIX}"): redact(
            as_yaml(data_contract(table), "odcs")
        )
        for table in tables
    }


def _placed(files: Mapping[Path, str], output: Path) -> dict[Path, str]:
    """Return the files by their paths: in a folder, or one by the name that is given."""
    if output.suffix in (".yml", ".yaml") and not output.is_dir():
        if len(files) > 1:
            raise click.BadParameter(
                f"{output} is one file, and there is one for each of {len(files)} tables: name a "
                "folder, or one resource.",
                param_hint="--output",
            )
        [text] = files.values()
        return {output: text}
    return {output / name: text for name, text in files.items()}


def _note(text: str) -> None:
    """Print a line beside the export, which may be on its way into a file."""
    click.echo(redact(text), err=True)
