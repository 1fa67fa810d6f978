"""The command `analytics-assets`: load without the UI, check APIs, store contracts."""

import click

from analytics_assets.cli.check import check
from analytics_assets.cli.contract import contract
from analytics_assets.cli.materialize import materialize
from analytics_assets.cli.rejected import rejected


@click.group(help=__doc__)
def main() -> None:
    """Group the commands."""


for command in (materialize, check, contract, rejected):
    main.add_command(command)

if __name__ == "__main__":
    main()
